import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { preProcessFile } from 'typescript';
import { describe, expect, it } from 'vitest';

const SOURCES = resolve(import.meta.dirname, '../src');

/** What belongs to the page: its views, its documents, its texts, and the protocol of frames. */
const OF_THE_PAGE =
  /^(view|style|page|sign_in\/(account|used_link|address)|embed\/(bridge|parent_window|legacy_protocol|requests)|main|player|preconnect|public_api|stopped_player|texts)\b/;

/** The paths of the modules and packages that a module imports, those for types only as well. */
function importsOf(module: string): string[] {
  const source = readFileSync(join(SOURCES, module), 'utf8');
  return preProcessFile(source).importedFiles.map(({ fileName: name }) =>
    name.startsWith('.') ? relative(SOURCES, resolve(SOURCES, dirname(module), name)) : name,
  );
}

const fileOf = (path: string): string | undefined => (existsSync(join(SOURCES, `${path}.ts`)) ? `${path}.ts` : undefined);

/** All modules and packages behind an entry module, and what imports each. */
function closure(entry: string): Map<string, string> {
  const found = new Map([[entry, '']]);
  for (const path of found.keys()) {
    const file = fileOf(path);
    for (const imported of file === undefined ? [] : importsOf(file)) {
      if (!found.has(imported)) {
        found.set(imported, path);
      }
    }
  }
  return found;
}

describe.each(['core', 'element/register', 'element/react'])('the published module %s', (entry) => {
  const found = closure(entry);

  it('imports nothing of the page', () => {
    const wrong = [...found].filter(([path]) => OF_THE_PAGE.test(path));
    expect(wrong.map(([path, importer]) => `${importer} imports ${path}`)).toEqual([]);
  });

  it('imports no package but the library and React', () => {
    const packages = [...found.keys()].filter((path) => fileOf(path) === undefined);
    const allowed = ['@epicgames-ps/lib-pixelstreamingfrontend-ue5.7', ...(entry === 'element/react' ? ['react'] : [])];
    expect(packages.toSorted()).toEqual(allowed);
  });
});

describe('the page', () => {
  it('is built on the core', () => {
    expect(importsOf('player.ts')).toContain('core');
    expect(importsOf('main.ts')).toContain('core');
    const inner = /^(session|session_state|playback|resume\/.*|connection\/(application_channel|settings|first_frame))$/;
    expect([...importsOf('player.ts'), ...importsOf('main.ts')].filter((path) => inner.test(path))).toEqual([]);
  });
});
