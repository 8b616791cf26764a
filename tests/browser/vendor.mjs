// The page's Socket.IO client is a copy of the one that package-lock.json names. `node tests/browser/vendor.mjs` checks
// that it still is, `--update` copies it again after an `npm install`.

import { copyFileSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const FILES = {
  'node_modules/socket.io-client/dist/socket.io.min.js': 'public/vendor/socket.io.min.js',
  'node_modules/socket.io-client/LICENSE': 'public/vendor/LICENSE.socket.io-client',
};

/** The vendored files that differ from what npm installed. */
export function stale() {
  return Object.entries(FILES)
    .filter(([from, to]) => !readFileSync(new URL(from, root)).equals(readFileSync(new URL(to, root))))
    .map(([, to]) => to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--update')) {
    for (const [from, to] of Object.entries(FILES)) copyFileSync(new URL(from, root), new URL(to, root));
  }
  for (const file of stale()) {
    console.error(`${file} is not the installed one: run npm ci, then node tests/browser/vendor.mjs --update`);
    process.exitCode = 1;
  }
}
