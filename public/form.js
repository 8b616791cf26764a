// What forms for passwords share: to show what is written, to say what is wrong, and to wait when the server says so.

import { left } from './access-text.js';
import { setAttribute, setText } from './dom.js';
import { localNow } from './clock.js';
import { refusal } from './words.js';

const TICK_MS = 250;

/** Each button with `data-show` shows and hides what is written in the field of that id. */
export function showSecrets(root = document) {
  for (const button of root.querySelectorAll('[data-show]')) {
    const field = document.getElementById(button.dataset.show);
    button.addEventListener('click', () => {
      const shown = field.type === 'password';
      field.type = shown ? 'text' : 'password';
      setAttribute(button, 'aria-pressed', String(shown));
      setText(button.firstElementChild, shown ? 'Hide' : 'Show');
    });
  }
}

/** Hides what was shown, so that password managers know a password when they see one. */
export function hideSecrets(root = document) {
  for (const button of root.querySelectorAll('[data-show][aria-pressed="true"]')) button.click();
}

/**
 * Sends a form by `send()`, one answer at a time, and says below it what was wrong. `send` resolves to the answer of `sendJson`,
 * to a text where what is written can't be sent, or to nothing when another page is on its way.
 */
export class Sender {
  #parts;
  #send;
  #busy = false;
  #until = 0;
  #timer = null;

  /** `problem` is a live region; `again`, where there is one, tells for how long to wait. */
  constructor({ form, button, problem, again = null }, send) {
    this.#parts = { form, button, problem, again };
    this.#send = send;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  get #waits() {
    return this.#until > localNow();
  }

  async #submit() {
    const { problem } = this.#parts;
    if (this.#busy || this.#waits) return;
    this.#busy = true;
    this.#draw();
    // The same words once more are to be heard once more.
    setText(problem, '');
    const answer = await this.#send();
    if (!answer) return;
    this.#busy = false;
    if (typeof answer === 'string') setText(problem, answer);
    else if (!answer.ok) this.#refused(answer);
    this.#draw();
  }

  #refused({ status, told }) {
    setText(this.#parts.problem, refusal(told) || 'That did not work.');
    if (status === 429) this.#until = localNow() + (told.retry_in_ms ?? 1_000);
  }

  /** A button that is disabled would lose the focus, so it only says that it is. */
  #draw() {
    const { button, again } = this.#parts;
    const waits = this.#waits;
    setAttribute(button, 'aria-disabled', String(this.#busy || waits));
    if (again) setText(again, waits ? `You can try again in ${left(this.#until - localNow())}.` : '');
    clearTimeout(this.#timer);
    if (waits) this.#timer = setTimeout(() => this.#draw(), TICK_MS);
  }
}
