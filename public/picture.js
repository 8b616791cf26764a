// From announcements to pictures on the screen. Of many announced pictures only the newest matters: at most one is
// being loaded, one waits, and whatever waited before is forgotten. So a slow line shows fewer pictures, never older ones.

const TIMEOUT_MS = 10_000;
const RETRY_MS = 1_000;

/** `{id, url}` of an announcement such as `image_stream.jpg?_t=1763692800123456`; null if it is none. */
export function announced(text, base) {
  let url;
  try {
    url = new URL(text, base);
  } catch {
    return null;
  }
  const id = Number(url.searchParams.get('_t'));
  const ours = url.origin === new URL(base).origin;
  return ours && Number.isSafeInteger(id) && id > 0 ? { id, url: url.href } : null;
}

/** Microseconds since 1970 from the header `X-Timestamp: 1763692800.123456`; null if it is not there. */
export function exposureOf(header) {
  const match = /^(\d+)\.(\d{1,6})$/.exec(header ?? '');
  return match && Number(match[1]) * 1e6 + Number(match[2].padEnd(6, '0'));
}

/** The id from the header `ETag: "1763692800123456"`; null if it is not there. It is not the time of exposure of a recorded picture. */
export function idOf(header) {
  const match = /^(?:W\/)?"(\d+)"$/.exec(header ?? '');
  return match && Number(match[1]);
}

/**
 * Fetches and decodes a picture, so that showing it costs no wait: `{id, taken, blob, bitmap}`, with its time of exposure in
 * milliseconds.
 * The id is the one of the picture that came, which is a newer one when the announced one has gone.
 */
export async function fetchPicture({ id, url }, signal) {
  // Not stored: each picture has an address of its own and is wanted once, so a browser's cache would only fill its disk.
  const response = await fetch(url, { signal, cache: 'no-store' });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const blob = await response.blob();
  const bitmap = await createImageBitmap(blob);
  const exposed = exposureOf(response.headers.get('X-Timestamp')) ?? id;
  return { id: idOf(response.headers.get('ETag')) ?? exposed, taken: exposed / 1000, blob, bitmap };
}

export class PictureLoader {
  #load;
  #show;
  #timeout;
  #retry;
  #loading = null;
  #waiting = null;
  #timer = null;
  #shown = 0;

  /** The highest id heard of, 0 for none. */
  newest = 0;

  /**
   * `load(picture, signal)` resolves with a picture, `show(picture)` puts it on the screen.
   * No load may hang for longer than `timeout` milliseconds; a failed one is tried once more after `retry`
   * milliseconds, if nothing newer came meanwhile.
   */
  constructor({ load = fetchPicture, show, timeout = TIMEOUT_MS, retry = RETRY_MS }) {
    this.#load = load;
    this.#show = show;
    this.#timeout = timeout;
    this.#retry = retry;
  }

  /** Takes a picture `{id, url}`; id 0 asks for the newest that there is. */
  announce(picture) {
    if (picture.id === 0 ? this.#loading || this.#waiting : picture.id <= this.newest) return;
    this.newest = Math.max(this.newest, picture.id);
    this.#waiting = { ...picture, tries: 2 };
    this.#next();
  }

  /** Ends what is being loaded. What is on the screen stays, and nothing older will follow it. */
  stop() {
    clearTimeout(this.#timer);
    this.#waiting = null;
    this.#loading?.abort();
    this.#loading = null;
  }

  /** Another server process, or the same one again: its ids need not be higher than those before. */
  restart() {
    this.stop();
    this.newest = 0;
    this.#shown = 0;
  }

  async #next() {
    if (this.#loading || !this.#waiting) return;
    const wanted = this.#waiting;
    const abort = new AbortController();
    this.#waiting = null;
    this.#loading = abort;
    let timer;
    // Raced and not only aborted: decoding does not listen to the signal.
    const gone = new Promise((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(new Error('given up')));
      timer = setTimeout(() => abort.abort(), this.#timeout);
    });
    let picture = null;
    try {
      const load = this.#load(wanted, abort.signal);
      load.then((late) => abort.signal.aborted && late.bitmap?.close(), () => {});
      picture = await Promise.race([load, gone]);
    } catch {
      // The next picture makes good for this one.
    } finally {
      clearTimeout(timer);
    }
    if (this.#loading !== abort) return;
    this.#loading = null;
    if (picture) this.#take(picture);
    else this.#again(wanted);
    this.#next();
  }

  #take(picture) {
    if (picture.id > this.#shown) {
      this.#shown = picture.id;
      this.newest = Math.max(this.newest, picture.id);
      this.#show(picture);
    }
    picture.bitmap?.close();
  }

  #again(wanted) {
    if (wanted.tries <= 1 || this.#waiting) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#loading || this.#waiting || wanted.id < this.newest) return;
      this.#waiting = { ...wanted, tries: wanted.tries - 1 };
      this.#next();
    }, this.#retry);
  }
}
