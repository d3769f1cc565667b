/** Builds the page into the folder that the router serves. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import license from 'rollup-plugin-license';
import { transformWithEsbuild, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The name of the chunk that opens the websocket. */
const PRECONNECT = 'preconnect';

/** The script that is written into index.html. */
const MISSING_FILES = fileURLToPath(new URL('src/missing_files.ts', import.meta.url));

const PAGE = fileURLToPath(new URL('../services/router/page', import.meta.url));

/** Writes a `.br` and a `.gz` copy of each file, so that the server need not compress per request. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(PAGE, { recursive: true, encoding: 'utf8' })) {
        // Not the JSON documents beside the page: operators replace them, and the compressed copies would be stale.
        if (/\.(js|css|html|svg|txt)$|^assets.*\.json$/.test(name)) {
          const content = readFileSync(join(PAGE, name));
          writeFileSync(join(PAGE, `${name}.br`), brotliCompressSync(content));
          writeFileSync(join(PAGE, `${name}.gz`), gzipSync(content, { level: 9 }));
        }
      }
    },
  };
}

/**
 * Adds two scripts before all others: one inline, for files that cannot be loaded, and the preconnect chunk with
 * `async`, since the other scripts wait for the document, the style and the library.
 */
function earlyScripts(): Plugin {
  return {
    name: 'early-scripts',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      async handler(_, { bundle = {} }) {
        const chunk = Object.values(bundle).find((file) => file.type === 'chunk' && file.name === PRECONNECT);
        if (chunk === undefined) {
          throw new Error(`the build has no chunk "${PRECONNECT}"`);
        }
        const source = readFileSync(MISSING_FILES, 'utf8');
        const { code } = await transformWithEsbuild(source, MISSING_FILES, { minify: true, format: 'iife', sourcemap: false });
        const attrs = { type: 'module', async: true, src: `./${chunk.fileName}` };
        return [
          { tag: 'script', children: code.trim(), injectTo: 'head-prepend' },
          { tag: 'script', attrs, injectTo: 'head-prepend' },
        ];
      },
    },
  };
}

export default defineConfig({
  // All URLs are relative, so that the page works under any path prefix.
  base: './',
  plugins: [precompress(), earlyScripts()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2022',
    // No inlined assets: `data:` URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    // The preconnect chunk has its own script element.
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    rollupOptions: {
      output: { manualChunks: { [PRECONNECT]: ['src/preconnect.ts'] } },
      plugins: [license({ thirdParty: { output: `${PAGE}/licenses.txt` } })],
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
  },
});
