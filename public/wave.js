// Waves: greeting the other viewers of a camera, and being greeted by them.

const SHOWN_MS = 4_000;

/** What the server's answer to a wave means for the one who waved. */
export function outcome(answer) {
  if (answer?.ok) return 'You waved';
  if (answer?.retry_in_ms > 0) return `Wait ${Math.ceil(answer.retry_in_ms / 1000)} s`;
  return answer?.error ?? 'Nobody answers, so nobody saw it';
}

/** A corner of the picture in which greetings are shown for a moment. */
export class Greeting {
  #place;
  #timer = null;

  constructor(place) {
    this.#place = place;
  }

  greet() {
    this.say('Somebody waves', document.getElementById('hand').content.cloneNode(true));
  }

  say(...words) {
    clearTimeout(this.#timer);
    this.#place.replaceChildren(...words);
    this.#timer = setTimeout(() => this.#place.replaceChildren(), SHOWN_MS);
  }
}

/** The button to wave with, and the place where waves are seen. */
export class Waves {
  #session;
  #button;
  #greeting;
  #waving = false;

  constructor({ wave, greeting }, session) {
    this.#session = session;
    this.#button = wave;
    this.#greeting = new Greeting(greeting);
    wave.addEventListener('click', () => this.wave());
    session.addEventListener('wave', () => this.#greeting.greet());
    session.addEventListener('change', () => this.#offer());
  }

  async wave() {
    if (this.#waving || !this.#session.connected) return;
    this.#waving = true;
    const answer = await this.#session.wave().catch(() => null);
    this.#waving = false;
    this.#greeting.say(outcome(answer));
  }

  #offer() {
    const { connected, known, refused } = this.#session;
    const hidden = refused || !known;
    if (this.#button.hidden !== hidden) this.#button.hidden = hidden;
    // It stays in its place while the connection is lost: what is beside it does not move.
    if (this.#button.disabled === connected) this.#button.disabled = !connected;
  }
}
