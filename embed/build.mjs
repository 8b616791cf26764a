// Makes public/embed.js, one small file, of what is in this folder. `node embed/build.mjs` checks that it is made of what is
// here, `--update` makes it.

import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const MADE = new URL('../public/embed.js', import.meta.url);
const BANNER = '// <eyelid-camera>, made by embed/build.mjs of what is in the folder embed';
/** Browsers of 2023 and later. */
const TARGET = 'es2022';

const styles = {
  name: 'styles',
  setup: ({ onLoad }) => onLoad({ filter: /\.css$/ }, async ({ path }) => {
    const { code } = await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, target: 'safari16.4' });
    return { contents: code.trim(), loader: 'text' };
  }),
};

/** The file as it is to be. */
export async function make() {
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [fileURLToPath(new URL('element.js', import.meta.url))],
    banner: { js: BANNER },
    bundle: true,
    charset: 'utf8',
    format: 'iife',
    minify: true,
    plugins: [styles],
    target: TARGET,
    write: false,
  });
  return text;
}

/** Whether the file is as it is to be. */
export const isFresh = async () => readFileSync(MADE, 'utf8') === await make();

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--update')) writeFileSync(MADE, await make());
  if (!await isFresh()) {
    console.error('public/embed.js is not made of what is in embed: run npm ci, then node embed/build.mjs --update');
    process.exitCode = 1;
  }
}
