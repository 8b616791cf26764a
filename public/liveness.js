// Is the picture on the screen live? Judged by its age alone, so that no message and no silence can make it lie.

const LIVE_MS = 1_500;
const STALLED_MS = 4_000;
const LONGEST_GAP_MS = 10_000;
const REMEMBERED = 9;

export class Liveness {
  #times = [];
  #exposed = null;
  #shownAt = 0;
  #shownDate = 0;
  #delay = null;
  #interval = 0;

  /** Nothing is shown any more. */
  clear() {
    this.#times = [];
    this.#exposed = null;
    this.#delay = null;
  }

  /** The camera is set to a picture each `interval` milliseconds: a pace measured at another setting says nothing about it. */
  paced(interval) {
    if (interval === this.#interval) return;
    this.#interval = interval;
    this.#times = [];
  }

  /** A picture went on the screen: `exposed` on the server's clock, `now` here, milliseconds; `offset` may be null. */
  shown(exposed, now, offset, date = Date.now()) {
    this.#times.push(now);
    if (this.#times.length > REMEMBERED) this.#times.shift();
    this.#exposed = exposed;
    this.#shownAt = now;
    this.#shownDate = date;
    if (offset === null) return;
    const delay = now + offset - exposed;
    this.#delay = this.#delay === null ? delay : this.#delay + 0.2 * (delay - this.#delay);
  }

  /** Milliseconds from exposure to screen, smoothed; null while unknown. */
  get delay() {
    return this.#delay;
  }

  /** Milliseconds between the last pictures on the screen; null while fewer than two were shown. */
  get gap() {
    const count = this.#times.length;
    return count < 2 ? null : (this.#times[count - 1] - this.#times[0]) / (count - 1);
  }

  /** Age of the picture on the screen in milliseconds, the oldest that any clock says; null without a picture. */
  age(now, offset, date = Date.now()) {
    if (this.#exposed === null) return null;
    // performance.now() may stand still while the machine sleeps, Date.now() goes on.
    const onScreen = Math.max(now - this.#shownAt, date - this.#shownDate);
    return offset === null ? onScreen : Math.max(onScreen, now + offset - this.#exposed);
  }

  /** `none`, `live`, `late` (still good to look at) or `stalled`, for a camera that takes a picture each `interval` milliseconds. */
  verdict(now, offset, interval, date = Date.now()) {
    const age = this.age(now, offset, date);
    if (age === null) return 'none';
    const pace = Math.max(interval, Math.min(this.gap ?? 0, LONGEST_GAP_MS));
    if (age <= Math.max(LIVE_MS, 3 * pace)) return 'live';
    return age <= Math.max(STALLED_MS, 5 * pace) ? 'late' : 'stalled';
  }
}
