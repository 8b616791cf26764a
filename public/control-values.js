// What can be set of a camera, and what the person in front of the page has set of it and the server does not know yet.

/** From one request to the next while a slider is dragged. */
export const PAUSE_MS = 200;

/** In place of an id: the wish to have all at its default. */
const ALL = '';

/**
 * Events: `change` (anything below).
 * `ask(method, settings)` tells the server, and resolves to `{ panel }` or `{ problem }`, a text for people.
 */
export class ControlValues extends EventTarget {
  #ask;
  #waiting = new Map();
  #sent = null;
  #notBefore = 0;
  #timer = null;

  /** What the server has told last. */
  panel = { known: false, controls: [], notice: null };
  /** Why the last wish for a control was not fulfilled, by its id; of all controls under `''`. */
  problems = new Map();

  constructor(ask) {
    super();
    this.#ask = ask;
  }

  /** The server tells how all is set. */
  hear(panel) {
    this.panel = panel;
    this.#changed();
  }

  /** The value to show: the one that is wished for as long as the server has not answered. */
  shown(control) {
    for (const wish of [this.#waiting, this.#sent]) {
      if (wish?.has(control.id)) return wish.get(control.id) ?? control.default;
      if (wish?.has(ALL)) return control.default ?? control.value;
    }
    return control.value;
  }

  /** Sets a control; `null` is its default. Of many values in a row some are left out, never the last. */
  set(id, value) {
    this.problems.delete(id);
    // Anew, so that it stands last: what was moved last is what somebody looks at.
    this.#waiting.delete(id);
    this.#waiting.set(id, value);
    this.#changed();
    this.#next();
  }

  /** Takes all back to its default. */
  reset() {
    this.problems.clear();
    this.#waiting.clear();
    this.#waiting.set(ALL, null);
    this.#changed();
    this.#next();
  }

  async #next() {
    if (this.#sent || this.#timer || this.#waiting.size === 0) return;
    const wait = this.#notBefore - performance.now();
    if (wait > 0) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.#next();
      }, wait);
      return;
    }
    // One control a request: what is refused is then known to be that one.
    const [id, value] = this.#waiting.entries().next().value;
    this.#waiting.delete(id);
    this.#sent = new Map([[id, value]]);
    this.#notBefore = performance.now() + PAUSE_MS;
    const { panel, problem } = await (id === ALL ? this.#ask('DELETE') : this.#ask('PATCH', { [id]: value }));
    this.#sent = null;
    if (panel) this.panel = panel;
    if (problem) this.problems.set(id, problem);
    this.#changed();
    this.#next();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

const GROUPS = [['image', 'Image'], ['exposure', 'Exposure'], ['color', 'Color'], ['focus', 'Focus'], ['other', 'Other']];

/** The controls by group, `[heading, controls]`, in the order in which they are shown; groups that are not known last. */
export function grouped(controls) {
  const known = GROUPS.slice(0, -1).map(([group]) => group);
  return GROUPS.map(([group, heading]) => [
    heading,
    controls.filter((control) => (group === 'other' ? !known.includes(control.group) : control.group === group)),
  ]).filter(([, members]) => members.length > 0);
}

/** Whether there is something to take back. */
export function differs(control, value) {
  return !control.read_only && control.default !== null && control.default !== undefined && value !== control.default;
}

/** A number without the digits that floating point adds. */
export function rounded(value) {
  return Number(Number(value).toPrecision(9));
}
