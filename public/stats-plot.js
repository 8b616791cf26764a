// Bars by day. A pointer or the arrow keys choose a day, of which the line above tells.

import { setAttribute, setText } from './dom.js';
import { dated, dayInWords, MEASURES, plain, reading, scale, summary } from './stats-text.js';
import { percent, svg } from './svg.js';

const TOP = 14;
const BOTTOM = 170;
const NARROW = 560;

export class Plot {
  #parts;
  #given = null;
  /** The place of the day that is chosen, or null. */
  #chosen = null;

  constructor(parts) {
    this.#parts = parts;
    const { plot, days } = parts;
    const point = ({ clientX }) => {
      const { left, width } = days.getBoundingClientRect();
      this.#choose(Math.floor(((clientX - left) / width) * this.#length));
    };
    plot.addEventListener('pointermove', point);
    plot.addEventListener('pointerdown', point);
    plot.addEventListener('pointerleave', ({ pointerType }) => {
      if (pointerType === 'mouse') this.#choose(null);
    });
    plot.addEventListener('focus', () => {
      if (this.#chosen === null && plot.matches(':focus-visible')) this.#choose(this.#length - 1);
    });
    plot.addEventListener('blur', () => this.#choose(null));
    plot.addEventListener('keydown', (event) => {
      const now = this.#chosen ?? this.#length;
      const to = {
        ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1,
        PageUp: now - 7, PageDown: now + 7, Home: 0, End: this.#length - 1,
      }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#choose(to);
    });
    new ResizeObserver(() => this.#draw()).observe(days);
  }

  /** `given`: `{calendar, measure, today}`. */
  show(given) {
    if (this.#given?.calendar.length !== given.calendar.length) this.#chosen = null;
    this.#given = given;
    this.#draw();
  }

  get #length() {
    return this.#given?.calendar.length ?? 0;
  }

  #choose(place) {
    const to = place === null ? null : Math.min(this.#length - 1, Math.max(0, place));
    if (to === this.#chosen) return;
    this.#chosen = to;
    this.#draw();
  }

  #draw() {
    if (!this.#given) return;
    const { axis, days } = this.#parts;
    const { calendar, measure, today } = this.#given;
    const value = ({ counts }) => counts?.[measure] ?? 0;
    const marks = scale(Math.max(...calendar.map(value)));
    const height = (of) => ((BOTTOM - TOP) * of) / marks.at(-1);
    const level = (of) => Math.round(BOTTOM - height(of)) + 0.5;
    axis.replaceChildren(...marks.map((mark) => svg('text', { x: 46, y: level(mark) + 4 }, plain(measure, mark))));
    const count = calendar.length;
    const lines = marks.map((mark) => svg('line', { class: mark === 0 ? 'ground' : 'level', x1: 0, x2: '100%', y1: level(mark), y2: level(mark) }));
    const bars = calendar.flatMap((entry, i) => {
      if (value(entry) === 0) return [];
      // A single visit among thousands is to be seen too.
      const tall = Math.max(2, height(value(entry)));
      const place = { x: percent((i + 0.1) / count), width: percent(0.8 / count), y: BOTTOM - tall, height: tall };
      return [svg('rect', { class: i === this.#chosen ? 'day chosen' : 'day', rx: count > 100 ? 0 : 2, ...place })];
    });
    const cursor = this.#chosen === null ? [] : [
      svg('rect', { class: 'cursor', x: percent(this.#chosen / count), width: percent(1 / count), y: TOP, height: BOTTOM - TOP }),
    ];
    const dates = dated(count, days.clientWidth < NARROW ? 3 : 6).map((i) => {
      // The last one would reach over the edge.
      const last = i === count - 1;
      const where = { x: percent(last ? 1 : (i + 0.5) / count), y: BOTTOM + 20, class: last ? 'end' : 'date' };
      return svg('text', where, last ? 'today' : dayInWords(calendar[i].day, today, { weekday: false }));
    });
    days.replaceChildren(...cursor, ...lines, ...bars, ...dates);
    this.#tell();
  }

  #tell() {
    const { plot, reading: line } = this.#parts;
    const { calendar, measure, today } = this.#given;
    const chosen = this.#chosen ?? calendar.length - 1;
    setText(line, this.#chosen === null ? summary(calendar, measure) : reading(calendar[chosen], measure, today));
    const attributes = {
      'aria-label': `${MEASURES[measure].name} by day`,
      'aria-valuemin': 1,
      'aria-valuemax': calendar.length,
      'aria-valuenow': chosen + 1,
      'aria-valuetext': reading(calendar[chosen], measure, today),
    };
    for (const [name, value] of Object.entries(attributes)) setAttribute(plot, name, String(value));
  }
}
