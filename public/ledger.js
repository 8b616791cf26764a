// When the camera was on: a line, a bar of the last 24 hours, and a list on request. Asking starts no camera.

import { bestOffset, localNow } from './clock.js';
import { setAttribute, setData, setHidden, setText } from './dom.js';
import { getJson } from './json.js';
import { clock, DAY, hours, label, line, marks, reach, rows, startOfDay, sum } from './ledger-text.js';
import { percent, svg } from './svg.js';
import { capital } from './words.js';

const PATIENCE_MS = 10_000;
/** Between two questions, however often the camera goes on and off. */
const GAP_MS = 1_000;
const EACH_MS = 60_000;
const DRAW_MS = 10_000;
/** What has no width at all is not drawn, not even its outline. */
const LEAST = 0.0001;

export class LedgerView {
  #parts;
  #allowed = false;
  #camera = null;
  #connected = false;
  #on = false;
  /** `{stretches, notice, now, now_on}`, what the server told last. */
  #told = null;
  /** To be added to `localNow()`, for the server's time. */
  #offset = null;
  #failed = false;
  #wait = GAP_MS;
  #askedAt = -Infinity;
  #question = 0;
  #timer = null;
  #drawn = '';

  constructor(parts) {
    this.#parts = parts;
    parts.ledgerLine.addEventListener('click', () => {
      const open = parts.stretches.hidden;
      setHidden(parts.stretches, !open);
      parts.ledgerLine.setAttribute('aria-expanded', String(open));
      this.#draw();
      // It may be below the window.
      if (open) parts.stretches.scrollIntoView({ block: 'nearest' });
    });
    setInterval(() => this.#draw(), DRAW_MS);
    document.addEventListener('visibilitychange', () => this.#ask());
  }

  /** It is for those who may manage the camera: before it is known that this is one of them, nothing is asked. */
  allow(allowed) {
    if (allowed === this.#allowed) return;
    this.#allowed = allowed;
    this.#ask();
  }

  /** Something of the session is new: the camera may have gone on or off. */
  hear({ connected, state }) {
    const on = ['starting', 'live', 'lingering'].includes(state?.state);
    const camera = state?.camera ?? null;
    if (connected === this.#connected && on === this.#on && camera === this.#camera) return;
    if (camera !== this.#camera) this.#told = null;
    this.#connected = connected;
    this.#on = on;
    this.#camera = camera;
    this.#failed = !connected;
    if (this.#failed) this.#draw();
    this.#wait = GAP_MS;
    this.#ask();
  }

  get #now() {
    return localNow() + this.#offset;
  }

  #ask(wait = 0) {
    clearTimeout(this.#timer);
    const pause = Math.max(wait, this.#askedAt + GAP_MS - localNow());
    this.#timer = setTimeout(() => this.#look(), pause);
  }

  async #look() {
    if (document.hidden || !this.#allowed || !this.#connected || this.#camera === null) return;
    const question = (this.#question += 1);
    const camera = this.#camera;
    const known = this.#offset !== null;
    const sent = localNow();
    this.#askedAt = sent;
    let told = null;
    try {
      const since = known ? `?since=${Math.max(0, Math.floor(reach(this.#now)))}` : '';
      told = await getJson(`/api/cameras/${encodeURIComponent(camera)}/ledger${since}`, AbortSignal.timeout(PATIENCE_MS));
    } catch {
      // Said below, and asked again.
    }
    // Another question was asked meanwhile: its answer is the newer one.
    if (question !== this.#question) return;
    this.#failed = !told;
    if (told) {
      this.#told = told;
      this.#offset = bestOffset([{ sent, server: told.now, received: localNow() }]).offset;
    }
    this.#draw();
    this.#next(told, known);
  }

  #next(told, known) {
    // The end of a capture process may take seconds longer than the state tells.
    const settled = told?.now_on === this.#on;
    if (settled && !known && reach(this.#now) < told.now - DAY) this.#ask();
    else if (!settled) {
      this.#ask(this.#wait);
      this.#wait = Math.min(2 * this.#wait, EACH_MS);
    } else {
      this.#wait = GAP_MS;
      if (this.#on) this.#ask(EACH_MS);
    }
  }

  #draw() {
    if (document.hidden) return;
    const { ledger, ledgerLine, ledgerWords, ledgerBar, stretches } = this.#parts;
    const told = this.#told;
    setData(ledger, 'known', String(told !== null && !this.#failed));
    ledgerLine.disabled = told === null;
    if (this.#failed) setText(ledgerWords, 'When the camera was on can’t be told now. Trying again.');
    if (!told) return;
    // What lasted when the server was heard last is not known to last still.
    const now = this.#failed ? told.now : this.#now;
    if (!this.#failed) setText(ledgerWords, line(sum(told.stretches, { from: startOfDay(now), now, told: told.now })));
    bar(ledgerBar, told.stretches, now);
    if (!stretches.hidden) this.#list(told, now);
  }

  #list(told, now) {
    const { ledgerRows, ledgerNotice } = this.#parts;
    setText(ledgerNotice, capital(told.notice));
    const all = rows(told.stretches, now, { told: told.now });
    // A list that is read, or scrolled, stays as it is while nothing of it is new.
    const drawn = JSON.stringify(all);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    ledgerRows.querySelectorAll('tbody').forEach((body) => body.remove());
    for (const { day, from, to, on, viewers, why } of all) {
      if (day) body(ledgerRows).append(row(cell('th', day, { scope: 'rowgroup', colspan: '5', role: 'rowheader' })));
      const begin = cell('th', from, { scope: 'row', role: 'rowheader' });
      ledgerRows.lastElementChild.append(row(begin, cell('td', to), cell('td', on), cell('td', viewers), cell('td', why)));
    }
    if (all.length === 0) body(ledgerRows).append(row(cell('td', 'Not once in the last 24 hours', { colspan: '5' })));
  }
}

// Roles, because browsers take rows that ledger.css lays out as a grid for no rows any more.
function cell(name, text, attributes = {}) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries({ role: 'cell', ...attributes })) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

function body(table) {
  const element = table.createTBody();
  element.role = 'rowgroup';
  return element;
}

function row(...cells) {
  const element = document.createElement('tr');
  element.role = 'row';
  element.append(...cells);
  return element;
}

function bar(drawing, stretches, now) {
  setAttribute(drawing, 'aria-label', label(stretches, now));
  const times = hours(now).flatMap(({ x, time }) => {
    const tick = svg('line', { class: 'tick', x1: percent(x), x2: percent(x), y1: 10, y2: 14 });
    // At the ends there is no room for it, and at the right one it says "now".
    const said = x > 0.06 && x < 0.9 ? [svg('text', { x: percent(x), y: 25 }, clock(time))] : [];
    return [tick, ...said];
  });
  drawing.replaceChildren(
    svg('rect', { class: 'track', width: '100%', height: 10, rx: 3 }),
    ...marks(stretches, now).map(({ x, width, kind }) => svg('rect', { class: kind, x: percent(x), width: percent(Math.max(width, LEAST)), height: 10 })),
    ...times,
    svg('text', { class: 'end', x: '100%', y: 25 }, 'now'),
  );
}
