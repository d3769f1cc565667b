/** Bundles two pages for each published version into dist/: <version>-library and <version>-ui. */
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const LIBRARY = '@epicgames-ps/lib-pixelstreamingfrontend-ue';
const UI = '@epicgames-ps/lib-pixelstreamingfrontend-ui-ue';
const here = fileURLToPath(new URL('.', import.meta.url));
const { dependencies } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

/** Resolves the pages' imports of `library` and `ui`; a UI library gets the player library that it depends on. */
function packagesOf(version, page) {
  const resolveDir = page === 'ui' ? join(here, 'node_modules', UI + version) : here;
  return {
    name: 'packages',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^library$/ }, ({ kind }) => resolve(LIBRARY + version, { kind, resolveDir }));
      onResolve({ filter: /^ui$/ }, ({ kind }) => resolve(UI + version, { kind, resolveDir: here }));
    },
  };
}

async function bundle(version, page) {
  const folder = join(here, 'dist', `${version}-${page}`);
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [join(here, 'pages', `${page}.js`)],
    outfile: join(folder, 'page.js'),
    plugins: [packagesOf(version, page)],
    bundle: true,
    minify: true,
    format: 'esm',
    logLevel: 'error',
  });
  await copyFile(join(here, 'pages', 'index.html'), join(folder, 'index.html'));
}

await rm(join(here, 'dist'), { recursive: true, force: true });
const libraries = Object.keys(dependencies).filter((name) => name.startsWith(LIBRARY));
const versions = libraries.map((name) => name.slice(LIBRARY.length));
await Promise.all(versions.flatMap((version) => [bundle(version, 'library'), bundle(version, 'ui')]));
