/** Builds tests/e2e/stock_page with the packages of this folder, so that the tests need no second install. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const LIBRARY = '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('../tests/e2e/stock_page'),
  base: './',
  resolve: { alias: { [LIBRARY]: here(`./node_modules/${LIBRARY}`) } },
  build: {
    outDir: here('../tests/e2e/stock_page/dist'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
  },
});
