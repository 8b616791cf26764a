// The panel with sliders and switches. It writes what has changed into the elements that are there, so that focus and
// a finger on a slider stay where they are, and builds anew only when the camera offers something else.

import { differs, grouped, rounded } from './control-values.js';
import { build, setHidden, setText } from './dom.js';
import { capital } from './words.js';

export class ControlPanel {
  #root;
  #parts;
  #values;
  #rows = new Map();
  #shape = '';
  #held = null;

  /** `root` is the page's camera, whose button opens the panel. */
  constructor(root, parts, values) {
    this.#root = root;
    this.#parts = parts;
    this.#values = values;
    const { adjust, panel, shut, reset } = parts;
    adjust.addEventListener('click', () => this.#open(panel.hidden));
    shut.addEventListener('click', () => this.#open(false));
    reset.addEventListener('click', () => {
      // It hides itself when all is done, and would take the focus along.
      shut.focus();
      values.reset();
    });
    panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.#open(false);
    });
    for (const event of ['pointerup', 'pointercancel']) addEventListener(event, () => this.#release());
    values.addEventListener('change', () => this.#draw());
    this.#draw();
  }

  #release() {
    if (this.#held === null) return;
    this.#held = null;
    this.#draw();
  }

  #open(open) {
    const { adjust, panel, shut } = this.#parts;
    setHidden(panel, !open);
    adjust.setAttribute('aria-expanded', String(open));
    this.#root.classList.toggle('adjusting', open);
    (open ? shut : adjust).focus();
  }

  #draw() {
    const { adjust, panel, groups, reset, kept, problem } = this.#parts;
    const { controls, notice } = this.#values.panel;
    const none = controls.length === 0;
    if (none && !panel.hidden) this.#open(false);
    setHidden(adjust, none);
    const shape = JSON.stringify(controls.map(({ value, inactive, ...rest }) => rest));
    if (shape !== this.#shape) {
      this.#shape = shape;
      const focus = document.activeElement?.dataset?.control;
      this.#rows.clear();
      groups.replaceChildren(...grouped(controls).map(([heading, members]) => this.#group(heading, members)));
      if (focus) this.#rows.get(focus)?.focus();
    }
    for (const control of controls) this.#rows.get(control.id).show(control, this.#values.shown(control));
    setHidden(reset, !controls.some((control) => differs(control, this.#values.shown(control))));
    setText(kept, capital(notice));
    setText(problem, this.#values.problems.get('') ?? '');
  }

  #group(heading, controls) {
    const { root, parts } = build('control-group');
    setText(parts.heading, heading);
    for (const control of controls) {
      const row = this.#row(control);
      this.#rows.set(control.id, row);
      parts.rows.append(row.root);
    }
    return root;
  }

  #row(control) {
    const { root, parts } = build('control-row');
    const field = FIELDS[control.type] ?? FIELDS.unknown;
    const set = (value) => this.#values.set(control.id, value);
    const { inputs, write } = field(control, set, parts);
    root.classList.add(`is-${control.type}`);
    setText(parts.name, control.name);
    for (const input of inputs) {
      input.dataset.control = control.id;
      input.disabled = control.read_only;
      input.setAttribute('aria-describedby', `problem-${control.id}`);
      input.addEventListener('pointerdown', () => { this.#held = control.id; });
    }
    const [first] = inputs;
    if (first) {
      first.id = `control-${control.id}`;
      parts.name.htmlFor = first.id;
      parts.field.append(...inputs);
    }
    parts.problem.id = `problem-${control.id}`;
    parts.back.setAttribute('aria-label', `Reset ${control.name}`);
    parts.back.addEventListener('click', () => {
      first.focus();
      set(null);
    });
    return {
      root,
      focus: () => first?.focus(),
      show: ({ inactive }, value) => {
        // Somebody else's change must not pull a slider away from under a finger.
        if (this.#held !== control.id) write(value);
        root.classList.toggle('inactive', inactive === true);
        setHidden(parts.back, !differs(control, value));
        setText(parts.problem, this.#values.problems.get(control.id) ?? '');
      },
    };
  }
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

/** For each type: what is put into a row, and how a value is written there. */
const FIELDS = {
  boolean(control, set) {
    const input = element('input', { type: 'checkbox', className: 'switch' });
    input.setAttribute('role', 'switch');
    input.addEventListener('change', () => set(input.checked));
    return { inputs: [input], write: (value) => { input.checked = value === true; } };
  },

  integer: slider,
  number: slider,

  choice({ choices }, set) {
    const input = element('select');
    input.append(...choices.map(({ name }, at) => element('option', { value: String(at), textContent: name })));
    input.addEventListener('change', () => set(choices[Number(input.value)].value));
    return { inputs: [input], write: (value) => { input.selectedIndex = choices.findIndex((choice) => choice.value === value); } };
  },

  button({ name }, set, parts) {
    setHidden(parts.name, true);
    const input = element('button', { type: 'button', className: 'button' });
    input.append(element('span', { textContent: name }));
    input.addEventListener('click', () => set(true));
    return { inputs: [input], write: () => {} };
  },

  // Of a daemon that is newer than this page.
  unknown() {
    return { inputs: [], write: () => {} };
  },
};

function slider({ name, min, max, step, type }, set) {
  const range = element('input', { type: 'range', min, max, step });
  const exact = element('input', { type: 'number', min, max, step: type === 'integer' ? step : 'any' });
  exact.setAttribute('aria-label', `${name}, exact value`);
  const show = (value) => {
    range.value = value ?? min;
    if (document.activeElement !== exact) exact.value = value === null ? '' : rounded(value);
  };
  range.addEventListener('input', () => {
    exact.value = rounded(range.valueAsNumber);
    set(rounded(range.valueAsNumber));
  });
  exact.addEventListener('change', () => {
    // What does not fit is refused by the server, in words that name the limits.
    if (Number.isFinite(exact.valueAsNumber)) set(exact.valueAsNumber);
  });
  return { inputs: [range, exact], write: show };
}
