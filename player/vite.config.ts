/** Builds the page into the folder that the router serves. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { OutputBundle } from 'rollup';
import license from 'rollup-plugin-license';
import { build, type Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** The scripts that are written into index.html, in their order. */
const INLINE = ['src/missing_files.ts', 'src/early_dial.ts'];

const TARGET = 'es2022';

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

/** Returns a script and its modules as one classic script, which runs before the document is read further. */
async function inlined(file: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: { write: false, target: TARGET, rollupOptions: { input: file, output: { format: 'iife' } } },
  });
  const [output] = [result].flat();
  if (output === undefined || !('output' in output)) {
    throw new Error(`the build of ${file} has no output`);
  }
  return output.output[0].code.trim();
}

/**
 * Writes the style sheet into the document in place of its link. It would be requested over a connection of its own,
 * and browsers run no script of the document before it has arrived.
 */
function withStyles(html: string, bundle: OutputBundle): string {
  return html.replace(/<link rel="stylesheet"[^>]* href="\.\/(assets\/[^"]+)">/g, (_, name: string) => {
    const file = bundle[name];
    if (file?.type !== 'asset') {
      throw new Error(`the build has no style sheet ${name}`);
    }
    Reflect.deleteProperty(bundle, name);
    return `<style>${file.source.toString().trim()}</style>`;
  });
}

/**
 * Adds the inline scripts before all others: one for files that cannot be loaded, and the one that opens the websocket,
 * which would otherwise wait for a file of its own. In development they are modules that run before the page's.
 */
function inlineScripts(): Plugin {
  return {
    name: 'inline-scripts',
    transformIndexHtml: {
      order: 'post',
      async handler(html, { server, bundle = {} }) {
        if (server !== undefined) {
          return INLINE.map((file) => ({ tag: 'script', attrs: { type: 'module', src: `/${file}` }, injectTo: 'head-prepend' }));
        }
        const codes = await Promise.all(INLINE.map(inlined));
        return {
          html: withStyles(html, bundle),
          tags: codes.map((children) => ({ tag: 'script', children, injectTo: 'head-prepend' })),
        };
      },
    },
  };
}

export default defineConfig({
  // All URLs are relative, so that the page works under any path prefix.
  base: './',
  plugins: [precompress(), inlineScripts()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: TARGET,
    // No inlined assets: `data:` URLs would need a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false, resolveDependencies: () => [] },
    rollupOptions: {
      plugins: [license({ thirdParty: { output: `${PAGE}/licenses.txt` } })],
    },
  },
  test: {
    include: ['tests/**/*.test.ts'],
  },
});
