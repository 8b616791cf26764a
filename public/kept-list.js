// A list of what is kept and can be ended: sessions, app passwords, guest links.

import { build, setHidden, setText } from './dom.js';

const SURE_MS = 6_000;

/** A button that asks back: what it does happens at the second press. `question` is what stands on it in between. */
export function askBack(button, place, { word, question }, action) {
  let timer = null;
  const reset = () => {
    clearTimeout(timer);
    button.classList.remove('sure');
    setText(place, word);
  };
  setText(place, word);
  button.addEventListener('click', () => {
    if (button.classList.contains('sure')) {
      reset();
      action();
      return;
    }
    button.classList.add('sure');
    setText(place, question);
    timer = setTimeout(reset, SURE_MS);
  });
  button.addEventListener('blur', reset);
}

export class KeptList {
  #list;
  #options;
  #rows = new Map();

  /**
   * `describe(item)` tells `{title, tag, detail}`; `end(item)` ends it; `word` and `question` stand on its button; `heading`
   * gets the focus when the last row has gone.
   */
  constructor(list, options) {
    this.#list = list;
    this.#options = options;
  }

  /** Shows these, each row by its `id`: what is not new stays where it is, and keeps the focus. */
  show(items) {
    const { describe, heading } = this.#options;
    const rows = [...this.#list.children];
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    for (const [id, row] of this.#rows) {
      if (items.some((item) => item.id === id)) continue;
      row.root.remove();
      this.#rows.delete(id);
    }
    items.forEach((item, i) => {
      if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.#row(item));
      const { root, parts } = this.#rows.get(item.id);
      const { title, tag, detail } = describe(item);
      setText(parts.title, title);
      setText(parts.tag, tag);
      setText(parts.detail, detail);
      parts.end.setAttribute('aria-description', title);
      if (this.#list.children[i] !== root) this.#list.insertBefore(root, this.#list.children[i] ?? null);
    });
    setHidden(this.#list, items.length === 0);
    // Who ended one by keyboard goes on with the next.
    if (focused >= 0 && !this.#list.contains(document.activeElement)) {
      const next = this.#list.children[Math.min(focused, this.#list.children.length - 1)];
      (next?.querySelector('button') ?? heading).focus();
    }
  }

  #row(item) {
    const { word, question, end } = this.#options;
    const row = build('kept');
    askBack(row.parts.end, row.parts.word, { word, question }, () => end(item));
    return row;
  }
}
