/** Builds the page to where the router serves it from. */
import { fileURLToPath } from 'node:url';
import license from 'rollup-plugin-license';
import { defineConfig } from 'vitest/config';

const PAGE = fileURLToPath(new URL('../services/router/page', import.meta.url));

export default defineConfig({
  // Every address in the page is relative, so that it works under any path prefix.
  base: './',
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: 'es2022',
    // A file of its own for each asset: a `data:` address would ask for a wider content security policy.
    assetsInlineLimit: 0,
    // One chunk has nothing to preload.
    modulePreload: { polyfill: false },
    rollupOptions: {
      plugins: [license({ thirdParty: { output: `${PAGE}/licenses.txt` } })],
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
  },
});
