// Pictures over a WebSocket. The next one is asked for when this one begins to be decoded: one is on its way at most, it is
// the newest when it leaves, and on a slow line, or a slow machine, nothing ever queues.

const PATIENCE_MS = 20_000;
const NOTHING = { id: 0, taken: 0 };

/** The address of the camera's WebSocket. The page is a viewer by Socket.IO already, and so takes no lease. */
function address(base) {
  const url = new URL('ws?lease=false&times=true&ready=true', base);
  // Older browsers take no http: here.
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

export class PictureSocket {
  #base;
  #show;
  #lost;
  #make;
  #decode;
  #patience;
  #socket = null;
  #timer = null;
  #told = NOTHING;
  #taken = 0;
  #decoding = null;
  #waiting = null;

  /**
   * `show({id, taken, blob, bitmap})` puts a picture on the screen. `lost()` is called when it ends without having been stopped,
   * could not be opened, or nothing came for `patience` milliseconds although there was something.
   */
  constructor({ base, show, lost, make = (url) => new WebSocket(url), decode = (blob) => createImageBitmap(blob), patience = PATIENCE_MS }) {
    this.#base = base;
    this.#show = show;
    this.#lost = lost;
    this.#make = make;
    this.#decode = decode;
    this.#patience = patience;
  }

  start() {
    if (this.#socket) return;
    let socket;
    try {
      socket = this.#make(address(this.#base));
    } catch {
      // Safari before 16 does not take a WebSocket of the same host for one that `default-src 'self'` allows, and throws.
      this.#lost();
      return;
    }
    const current = () => socket === this.#socket;
    socket.binaryType = 'blob';
    socket.onopen = () => current() && this.#calm();
    socket.onmessage = ({ data }) => current() && this.#hear(data);
    socket.onclose = () => current() && this.#give();
    this.#socket = socket;
    this.#taken = 0;
    this.#watch();
  }

  /** What is on its way is not shown any more. */
  stop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#told = NOTHING;
    this.#waiting = null;
    this.#decoding = null;
    this.#calm();
    socket?.close();
  }

  /** There is a picture of this id, so it or a newer one should come. */
  expect(id) {
    if (this.#socket && id > this.#taken && !this.#timer) this.#watch();
  }

  #hear(data) {
    if (typeof data === 'string') {
      const told = JSON.parse(data);
      if (told.event === 'picture') this.#told = { id: told.id, taken: told.taken_ms };
      return;
    }
    this.#waiting = { ...this.#told, blob: data.slice(0, data.size, 'image/jpeg') };
    this.#next();
  }

  async #next() {
    if (this.#decoding || !this.#waiting) return;
    const { id, taken, blob } = this.#waiting;
    const socket = this.#socket;
    this.#waiting = null;
    const turn = {};
    this.#decoding = turn;
    socket.send('{"ready":true}');
    let bitmap = null;
    try {
      bitmap = await this.#decode(blob);
    } catch {
      // The next picture makes good for this one.
    }
    if (turn === this.#decoding) {
      this.#decoding = null;
      this.#calm();
      this.#taken = id;
      if (bitmap) this.#show({ id, taken, blob, bitmap });
    }
    bitmap?.close();
    this.#next();
  }

  #watch() {
    this.#timer = setTimeout(() => this.#give(), this.#patience);
  }

  #calm() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  #give() {
    this.stop();
    this.#lost();
  }
}
