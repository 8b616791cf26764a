// The camera's clock as seen from here. Pictures carry the time of their exposure on the server's clock, and two
// machines rarely agree, so the difference is measured: of several questions the quickest answer is the truest.

const SAMPLES = 5;
const PAUSE_MS = 120;
const REFRESH_MS = 30_000;

/** Milliseconds since 1970 on this machine; unlike `Date.now()` it does not jump when the clock is set. */
export const localNow = () => performance.timeOrigin + performance.now();

/** The offset in `samples` ({sent, server, received}, milliseconds) whose round trip was the shortest. */
export function bestOffset(samples) {
  let best = null;
  for (const { sent, server, received } of samples) {
    const trip = received - sent;
    if (trip >= 0 && Number.isFinite(server) && (best === null || trip < best.trip)) {
      best = { trip, offset: server - (sent + received) / 2 };
    }
  }
  return best;
}

export class ServerClock {
  #ask;
  #running = false;
  #asked = -Infinity;

  /** Milliseconds to add to `localNow()` to get the server's time, or null while unknown. */
  offset = null;

  /** The shortest round trip of the last measurement in milliseconds, or null while unknown. */
  trip = null;

  /** `ask` resolves with the server's time in milliseconds since 1970. */
  constructor(ask) {
    this.#ask = ask;
  }

  /** The offset of another server process, or one from before a sleep, says nothing about now. */
  forget() {
    this.offset = null;
    this.#asked = -Infinity;
  }

  /** Measures when the last measurement is older than `maxAge` milliseconds. */
  async refresh(maxAge = REFRESH_MS) {
    if (this.#running || localNow() - this.#asked < maxAge) return;
    this.#running = true;
    this.#asked = localNow();
    const samples = [];
    try {
      for (let i = 0; i < SAMPLES; i += 1) {
        if (i > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        const sent = localNow();
        samples.push({ sent, server: await this.#ask(), received: localNow() });
        this.offset ??= bestOffset(samples)?.offset ?? null;
      }
    } catch {
      // The connection went away; the next one asks again.
    } finally {
      this.#running = false;
    }
    const best = bestOffset(samples);
    this.offset = best?.offset ?? this.offset;
    this.trip = best?.trip ?? this.trip;
  }
}
