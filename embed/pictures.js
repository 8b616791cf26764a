/** Longer takes no picture that is still worth seeing. */
const PATIENCE_MS = 20_000;

/**
 * Gets the pictures that are announced, one at a time and always the newest, and never an older one after a newer.
 * `show(bitmap, taken)` says how long to wait before the next, in milliseconds; `fail()` that one was not to be had.
 */
export class Pictures {
  #show;
  #fail;
  #next = null;
  #busy = false;
  #load = null;
  /** The id of the one that is under way. */
  #now = 0;

  /** The id of the last one shown. */
  newest = 0;

  constructor(show, fail) {
    this.#show = show;
    this.#fail = fail;
  }

  announce(id, url) {
    if (id <= this.newest || id === this.#now) return;
    this.#next = { id, url };
    if (!this.#busy) this.#run();
  }

  /** Ends what is under way. */
  stop() {
    const load = this.#load;
    this.#next = this.#load = null;
    this.#now = 0;
    load?.abort();
  }

  /** Another daemon, or the same one started again, may count from lower. */
  restart() {
    this.stop();
    this.newest = 0;
  }

  async #run() {
    this.#busy = true;
    while (this.#next) {
      const picture = this.#next;
      this.#next = null;
      this.#now = picture.id;
      const pause = await this.#take(picture);
      this.#now = 0;
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    this.#busy = false;
  }

  async #take({ id, url }) {
    const load = this.#load = new AbortController();
    const timer = setTimeout(() => load.abort(), PATIENCE_MS);
    try {
      const { ok, headers, blob } = await get(url, load.signal);
      if (!ok) throw ok;
      const bitmap = await createImageBitmap(blob);
      // Where the picture has gone, the answer is the newest one.
      const real = Number(/\d+/.exec(headers.get('etag')) ?? id);
      if (this.#load !== load || real <= this.newest) return 0;
      this.newest = real;
      return this.#show(bitmap, 1_000 * headers.get('x-timestamp'));
    } catch {
      if (this.#load === load) this.#fail();
    } finally {
      clearTimeout(timer);
    }
    return 0;
  }
}

async function get(url, signal) {
  const answer = await fetch(url, { signal });
  return { ok: answer.ok, headers: answer.headers, blob: await answer.blob() };
}
