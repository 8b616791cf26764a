// Who this browser is to the daemon, and what it may do.

import { setText } from './dom.js';
import { getJson } from './json.js';

const PATIENCE_MS = 10_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;

/** `GET /api/access`, asked until there is an answer; `silent()` is called when there is none yet. */
export async function askWho(silent = () => {}) {
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
    try {
      return await getJson('/api/access', AbortSignal.timeout(PATIENCE_MS));
    } catch {
      silent();
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** The same for a page that shows nothing before; it says meanwhile in `place` that nobody answers. */
export async function askWhoFirst(place) {
  const who = await askWho(() => setText(place, 'The server does not answer. Trying again…'));
  setText(place, '');
  return who;
}
