/** Builds the page to where the router serves it from. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import license from 'rollup-plugin-license';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The name of the file that dials. */
const DIAL = 'dial';

const PAGE = fileURLToPath(new URL('../services/router/page', import.meta.url));

/** Writes each file's `.br` and `.gz` beside it: a server then compresses nothing while people wait. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(PAGE, { recursive: true, encoding: 'utf8' })) {
        // The JSON documents are the operator's to replace: a compressed copy of ours would stay behind.
        if (/\.(js|css|html|svg|txt)$/.test(name)) {
          const content = readFileSync(join(PAGE, name));
          writeFileSync(join(PAGE, `${name}.br`), brotliCompressSync(content));
          writeFileSync(join(PAGE, `${name}.gz`), gzipSync(content, { level: 9 }));
        }
      }
    },
  };
}

/** Runs the file that dials as soon as it is there: the others wait for the document, the style and the library. */
function dialEarly(): Plugin {
  return {
    name: 'dial-early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_, { bundle = {} }) {
        const dial = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === DIAL);
        if (dial === undefined) {
          throw new Error(`no file ${DIAL} was built`);
        }
        const attrs = { type: 'module', async: true, src: `./${dial.fileName}` };
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
      },
    },
  };
}

export default defineConfig({
  // Every address in the page is relative, so that it works under any path prefix.
  base: './',
  plugins: [precompress(), dialEarly()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2022',
    // A file of its own for each asset: a `data:` address would ask for a wider content security policy.
    assetsInlineLimit: 0,
    // The one chunk beside the page's own has a script element.
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    rollupOptions: {
      output: { manualChunks: { [DIAL]: ['src/preconnect.ts'] } },
      plugins: [license({ thirdParty: { output: `${PAGE}/licenses.txt` } })],
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
  },
});
