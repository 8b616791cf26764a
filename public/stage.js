// The canvas that the pictures go to. A canvas and not an <img>: it keeps the last picture until the next one is
// decoded, so it can't flicker, and no browser keeps a copy of it.

export class Stage {
  #canvas;
  #context;
  #box;
  #closing = null;

  /** The picture on the screen, `{id, taken, blob}`, or null. */
  picture = null;

  constructor(canvas, box) {
    this.#canvas = canvas;
    this.#box = box;
    this.#context = canvas.getContext('2d', { alpha: false });
  }

  show({ id, taken, blob, bitmap }) {
    clearTimeout(this.#closing);
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
      this.setSize([width, height]);
    }
    this.#context.drawImage(bitmap, 0, 0);
    this.#canvas.dataset.id = id;
    this.#box.classList.add('open');
    this.picture = { id, taken, blob };
  }

  /** Closes the lid over the picture, and forgets it. */
  close() {
    if (!this.picture) return;
    this.picture = null;
    this.#box.classList.remove('open');
    // As long as the lid takes in style.css.
    this.#closing = setTimeout(() => {
      this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
      delete this.#canvas.dataset.id;
    }, 400);
  }

  /** Makes room for pictures of `[width, height]`. */
  setSize([width, height]) {
    // On the parent, because what stands above and below the picture is as wide as it is.
    this.#box.parentElement.style.setProperty('--ratio', String(width / height));
  }
}
