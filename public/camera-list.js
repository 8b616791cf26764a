// Which cameras there are. The configuration can change while a page is open. Asking starts no camera.

import { getJson } from './json.js';

const SOON_MS = 300;
const EACH_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;

/** Events: `list` (detail: `{cameras, page}`, the states of all cameras and what the page should know), `fail` (no answer, or with the detail `{status}` another than the list; asked again until there is one). */
export class CameraList extends EventTarget {
  #load;
  #timer = null;
  #loading = false;
  #again = false;

  constructor(load = () => getJson('/api/cameras')) {
    super();
    this.#load = load;
  }

  /** Asks in a moment: what is noticed by several at once is asked for once. */
  ask(wait = SOON_MS) {
    if (this.#loading) this.#again = true;
    else this.#timer ??= setTimeout(() => this.#fetch(), wait);
  }

  /** Asks every now and then while the page can be seen. */
  follow() {
    const look = () => {
      if (!document.hidden) this.ask();
    };
    setInterval(look, EACH_MS);
    document.addEventListener('visibilitychange', look);
  }

  async #fetch() {
    let wait = FIRST_RETRY_MS;
    let list = null;
    this.#timer = null;
    this.#loading = true;
    while (!list) {
      this.#again = false;
      try {
        list = await this.#load();
      } catch (error) {
        this.dispatchEvent(new CustomEvent('fail', { detail: { status: error?.status ?? 0 } }));
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(2 * wait, LAST_RETRY_MS);
      }
    }
    this.#loading = false;
    this.dispatchEvent(new CustomEvent('list', { detail: list }));
    if (this.#again) this.ask();
  }
}
