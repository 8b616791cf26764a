// What the person in front of the page wants of a camera, and what the server has been told about it.

import { localNow } from './clock.js';

const ACK_MS = 5_000;
const AGAIN_MS = 2_000;
const REFUSED_AGAIN_MS = 5_000;

/** Options for socket.io: WebSocket at once, long polling where something on the way does not let it through. */
export const CONNECTION = {
  transports: ['websocket', 'polling'],
  tryAllTransports: true,
  reconnectionDelay: 500,
  reconnectionDelayMax: 5_000,
  randomizationFactor: 0.3,
  timeout: 10_000,
};

/**
 * Events: `change` (anything below), `picture` (detail: the announcement), `controls` (detail: what can be
 * set, and how it is set), `wave` (somebody else greets all), `connect` (a new connection), `shut` (the
 * server ended or refused it), `strange` (the server does not know who this is).
 * `open(auth)` makes an unconnected socket for which `auth(callback)` tells the payload of each connection.
 */
export class Session extends EventTarget {
  #socket;
  #optedOut = false;
  #starting = false;
  #heard = false;
  #notBefore = 0;
  #timer = null;

  /** `none` (never asked for), `watch`, or `stop` (asked to stop). */
  wish = 'none';
  /** The page can't be seen. */
  away;
  connected = false;
  /** There was a connection before, so a missing one is a lost one. */
  known = false;
  /** The server says that there is no such camera. */
  refused = false;
  /** The server says that somebody has to sign in first. */
  strange = false;
  /** The last state heard of; old while not connected. */
  state = null;
  /** When that was, on `localNow()`. */
  heardAt = 0;
  /** Why the server did not start, in its words. */
  problem = null;

  constructor(open, { away }) {
    super();
    this.away = away;
    this.#socket = open((callback) => {
      this.#optedOut = this.away || this.wish === 'stop';
      callback(this.#optedOut ? { watch: false } : {});
    });
    const on = (event, action) => this.#socket.on(event, (detail) => {
      action(detail);
      this.#changed();
    });
    on('connect', () => {
      Object.assign(this, { connected: true, known: true, refused: false, strange: false });
      this.#notBefore = 0;
      this.dispatchEvent(new Event('connect'));
    });
    on('disconnect', (reason) => {
      this.#lost();
      // socket.io does not come back by itself from a disconnection that the server asked for.
      if (reason === 'io server disconnect') this.#shut(AGAIN_MS);
    });
    on('connect_error', (error) => {
      // Long polling tells by which status it was refused.
      this.strange = /^sign in/.test(error?.message) || error?.description === 401;
      if (this.strange) this.dispatchEvent(new Event('strange'));
      if (this.#socket.active) return;
      this.refused = !this.strange;
      this.#shut(REFUSED_AGAIN_MS);
    });
    on('state', (state) => this.#hear(state));
    this.#socket.on('controls', (panel) => this.dispatchEvent(new CustomEvent('controls', { detail: panel })));
    this.#socket.on('wave', () => this.dispatchEvent(new Event('wave')));
    this.#socket.on('liveStream', (text) => {
      if (this.watching) this.dispatchEvent(new CustomEvent('picture', { detail: text }));
    });
  }

  /** Pictures are wanted now, and the server knows. */
  get watching() {
    return this.wish === 'watch' && !this.away && !this.#optedOut && this.connected && this.#heard;
  }

  start() {
    this.wish = 'watch';
    this.problem = null;
    this.#notBefore = 0;
    this.#changed();
  }

  stop() {
    this.wish = 'stop';
    this.problem = null;
    this.#changed();
  }

  setAway(away) {
    if (this.away === away) return;
    this.away = away;
    this.#changed();
  }

  /** Gone at once: the server sees the connection end. */
  close() {
    clearTimeout(this.#timer);
    this.#socket.disconnect();
    this.#lost();
    this.#changed();
  }

  open() {
    if (!this.#socket.active) this.#socket.connect();
  }

  /** The server's time, milliseconds since 1970. */
  async askTime() {
    return (await this.#socket.timeout(ACK_MS).emitWithAck('clock')).now;
  }

  /** Greets the others. Resolves to the server's answer, and rejects when there is none. */
  wave() {
    return this.#socket.timeout(ACK_MS).emitWithAck('wave');
  }

  #lost() {
    this.connected = false;
    this.#heard = false;
    this.#starting = false;
  }

  #shut(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), delay);
    this.dispatchEvent(new Event('shut'));
  }

  #hear(state) {
    // A camera that is off has no audience, even where the message was written before that was noticed. One that may not
    // run is off, and may have one.
    this.state = { ...state, session: state.session && (state.state !== 'idle' || !!state.blocked) };
    this.#heard = true;
    this.heardAt = localNow();
  }

  #changed() {
    this.#tell();
    this.dispatchEvent(new Event('change'));
  }

  /** Brings the server's knowledge in line with the wish. */
  #tell() {
    if (!this.connected || !this.#heard) return;
    // A session opens the picture to every connected browser, whoever started it.
    if (this.wish === 'none' && this.state.session && !this.away && !this.problem) this.wish = 'watch';
    if (this.wish === 'watch' && !this.away) {
      if (this.#optedOut || !this.state.session) this.#askStart();
    } else if (!this.#optedOut && (this.away || this.wish === 'stop')) {
      this.#optedOut = true;
      this.#starting = false;
      this.#socket.emit('stop-stream');
    }
  }

  async #askStart() {
    const wait = this.#notBefore - Date.now();
    if (this.#starting || wait > 0) {
      if (wait > 0) this.#later(wait);
      return;
    }
    this.#starting = true;
    this.#optedOut = false;
    this.#notBefore = Date.now() + AGAIN_MS;
    let answer = null;
    try {
      answer = await this.#socket.timeout(ACK_MS).emitWithAck('start-stream');
    } catch {
      // No answer in time; asked again below as long as it is wanted.
    }
    this.#starting = false;
    if (answer?.state && this.connected) this.#hear(answer.state);
    if (answer?.ok === false && this.wish === 'watch') {
      this.wish = 'none';
      this.problem = answer.error ?? 'the server refused to start the camera';
    }
    this.#changed();
  }

  #later(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#changed(), wait);
  }
}
