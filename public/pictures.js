// The pictures of one camera, whichever way they come. A WebSocket takes over with the first picture that it brings, and
// where it can't be opened or breaks, addresses go on: the announcements come all the time, by Socket.IO.

import { PictureLoader } from './picture.js';
import { PictureSocket } from './picture-socket.js';

const SOON_MS = 1_000;
const FIRST_PAUSE_MS = 60_000;
const LAST_PAUSE_MS = 900_000;

export class Pictures {
  #show;
  #loader;
  #socket;
  #preferred = 'url';
  #wanted = false;
  #carries = false;
  #pause = FIRST_PAUSE_MS;
  #timer = null;
  #announced = null;
  #shown = 0;

  /** `show({id, taken, blob, bitmap})` puts a picture on the screen; `base` is the camera's address. The others are for tests. */
  constructor({ base, show, loader = (options) => new PictureLoader(options), socket = (options) => new PictureSocket(options) }) {
    this.#show = show;
    this.#loader = loader({ show: (picture) => this.#take(picture) });
    this.#socket = socket({
      base,
      show: (picture) => {
        this.#carry();
        this.#take(picture);
      },
      lost: () => this.#lost(),
    });
  }

  /** The highest id heard of, 0 for none. */
  get newest() {
    return Math.max(this.#announced?.id ?? 0, this.#shown);
  }

  /** The way that is chosen. */
  get preferred() {
    return this.#preferred;
  }

  /** The way on which pictures come, `url` or `ws`. */
  get way() {
    return this.#carries ? 'ws' : 'url';
  }

  prefer(way) {
    if (way === this.#preferred) return;
    this.#preferred = way;
    if (way === 'ws') {
      this.#approach();
    } else {
      this.#part();
      this.#catchUp();
    }
  }

  /** Pictures are wanted from now on. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#approach();
  }

  /** Ends what is under way. What is on the screen stays, and nothing older will follow it. */
  stop() {
    this.#wanted = false;
    this.#part();
    this.#loader.stop();
  }

  /** Another server process, or the same one again: its ids need not be higher than those before. */
  restart() {
    this.stop();
    this.#loader.restart();
    this.#announced = null;
    this.#shown = 0;
    this.#pause = FIRST_PAUSE_MS;
  }

  /** Takes a picture `{id, url}`; id 0 asks for the newest that there is. */
  announce(picture) {
    if (picture.id > (this.#announced?.id ?? 0)) this.#announced = picture;
    if (this.#carries) this.#socket.expect(picture.id);
    else this.#loader.announce(picture);
  }

  #take(picture) {
    if (picture.id <= this.#shown) return;
    this.#shown = picture.id;
    this.#show(picture);
  }

  /** Tries the WebSocket, if it is wanted and not just found to be of no use. */
  #approach() {
    if (this.#wanted && this.#preferred === 'ws' && this.#timer === null) this.#socket.start();
  }

  #carry() {
    if (this.#carries) return;
    this.#carries = true;
    this.#pause = FIRST_PAUSE_MS;
    this.#loader.stop();
  }

  #part() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#carries = false;
    this.#socket.stop();
  }

  /** One that has worked is worth another try at once; one that has not would only fill the browser's log. */
  #lost() {
    const wait = this.#carries ? SOON_MS : this.#pause;
    if (!this.#carries) this.#pause = Math.min(2 * this.#pause, LAST_PAUSE_MS);
    this.#carries = false;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#approach();
      this.#catchUp();
    }, wait);
  }

  /** What was announced may have been left to a socket that is gone, and the next picture may be an hour away. */
  #catchUp() {
    if (this.#wanted && this.#announced?.id > this.#shown) this.#loader.announce(this.#announced);
  }
}
