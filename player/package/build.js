/**
 * Builds the npm package: `node package/build.js FOLDER [NAME]` writes its files to FOLDER, which is emptied first.
 * NAME is the name of the package, such as `@acme/pixelfleet-player`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import license from 'rollup-plugin-license';
import { build } from 'vite';

const here = import.meta.dirname;
const source = (path) => resolve(here, '../src', path);
const page = readJson(resolve(here, '../package.json'));

/** The imports of the package, and the module behind each. */
const ENTRIES = { core: source('core.ts'), element: source('element/register.ts'), react: source('element/react.ts') };

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Bundles entries to ES modules in `folder`. */
async function bundle(entry, folder, external, plugins = []) {
  await build({
    configFile: false,
    logLevel: 'error',
    root: resolve(here, '..'),
    publicDir: false,
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      minify: 'esbuild',
      lib: { entry, formats: ['es'] },
      rollupOptions: { external, plugins, output: { chunkFileNames: 'shared-[hash].js' } },
    },
  });
}

/** Writes the declarations, with the file names that Node's resolution of ES modules asks for. */
function declare(folder) {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '--project', here, '--outDir', folder], { stdio: 'inherit' });
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((each) => each.endsWith('.ts'))) {
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/((?:from |import\()['"]\.[^'"]*)(['"])/g, '$1.js$2'));
  }
}

/** Completes the manifest: name, version, and the library with the version that was tested. */
function manifest(name) {
  const { version, engines, dependencies } = page;
  return { ...readJson(join(here, 'package.json')), ...(name !== undefined && { name }), version, engines, dependencies };
}

const [folder, name] = process.argv.slice(2);
if (folder === undefined) {
  throw new Error('usage: node package/build.js FOLDER [NAME]');
}
const target = resolve(folder);
const dist = join(target, 'dist');
rmSync(target, { recursive: true, force: true });
await bundle(ENTRIES, dist, [/^@epicgames-ps\//, 'react']);
await bundle({ standalone: ENTRIES.element }, dist, [], [
  license({ thirdParty: { output: join(target, 'licenses.txt') } }),
]);
declare(join(dist, 'types'));
const made = manifest(name);
writeFileSync(join(target, 'package.json'), `${JSON.stringify(made, null, 2)}\n`);
const readme = readFileSync(join(here, 'README.md'), 'utf8');
writeFileSync(join(target, 'README.md'), readme.replaceAll(/pixelfleet-player(?=[/`])/g, made.name));
copyFileSync(resolve(here, '../../LICENSE'), join(target, 'LICENSE'));
