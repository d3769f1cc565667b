/**
 * Packs the player package, installs it into dist/, and bundles the examples of its guide: dist/html, dist/react and
 * dist/vue. The code of the examples is that of the guide.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { compileScript, parse } from 'vue/compiler-sfc';

const here = import.meta.dirname;
const root = join(here, '../..');
const dist = join(here, 'dist');
const packed = join(dist, 'packed');
const installed = join(dist, 'node_modules/pixelfleet-player');

/** The one example of the guide in a language. */
function example(language) {
  const guide = readFileSync(join(root, 'docs/how-to/player-package.md'), 'utf8');
  const found = [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))];
  if (found.length !== 1) {
    throw new Error(`the guide has ${found.length} examples in ${language}`);
  }
  return found[0][1];
}

function write(path, text) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

/** Compiles single-file components, as Vue's own plugins for bundlers do. */
const vue = {
  name: 'vue',
  setup({ onLoad }) {
    onLoad({ filter: /\.vue$/ }, ({ path }) => {
      const { descriptor } = parse(readFileSync(path, 'utf8'));
      const compilerOptions = { isCustomElement: (tag) => tag === 'pixelfleet-player' };
      const { content } = compileScript(descriptor, { id: 'app', inlineTemplate: true, templateOptions: { compilerOptions } });
      return { contents: content, loader: 'js' };
    });
  },
};

async function bundle(name, sources) {
  for (const [file, text] of Object.entries(sources)) {
    write(join(dist, name, file), text);
  }
  await build({
    entryPoints: [join(dist, name, Object.keys(sources)[0])],
    outfile: join(dist, name, 'app.js'),
    plugins: [vue],
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    jsx: 'automatic',
    bundle: true,
    minify: true,
    format: 'esm',
    logLevel: 'error',
  });
  write(join(dist, name, 'index.html'), '<!doctype html><div id="app"></div><script type="module" src="app.js"></script>\n');
}

rmSync(dist, { recursive: true, force: true });
execFileSync(process.execPath, [join(root, 'player/package/build.js'), join(packed, 'files')], { stdio: 'inherit' });
const [{ filename }] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--pack-destination', packed], { cwd: join(packed, 'files'), encoding: 'utf8' }),
);
mkdirSync(installed, { recursive: true });
execFileSync('tar', ['-xzf', join(packed, filename), '--strip-components=1', '-C', installed]);

cpSync(join(here, 'consumer.ts'), join(dist, 'consumer.ts'));
const options = '--noEmit --strict --skipLibCheck --target es2022 --module nodenext'.split(' ');
const compiler = join(here, 'node_modules/typescript/bin/tsc');
execFileSync(process.execPath, [compiler, ...options, join(dist, 'consumer.ts')], { stdio: 'inherit' });

write(join(dist, 'html/index.html'), example('html'));
cpSync(installed, join(dist, 'html/pixelfleet-player'), { recursive: true });
await bundle('react', { 'main.jsx': example('jsx') });
await bundle('vue', {
  'main.js': "import { createApp } from 'vue';\nimport App from './App.vue';\n\ncreateApp(App).mount('#app');\n",
  'App.vue': example('vue'),
});
