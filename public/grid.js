// Several cameras: a tile for each. Looking at the tiles starts no camera and counts as no viewer.

import { showWayIn } from './access-link.js';
import { build, setData, setHidden, setTab, setText } from './dom.js';
import { fetchPicture, PictureLoader } from './picture.js';
import { CONNECTION } from './session.js';
import { Stage } from './stage.js';
import { brief, viewers } from './state-text.js';
import { localNow } from './clock.js';
import { Greeting } from './wave.js';

const PICTURE_MS = 2_000;
const FRESH_MS = 6_000;

class Tile {
  #name;
  #parts;
  #stage;
  #loader;
  #socket;
  #state;
  #connection = 'on';
  #shownAt = -Infinity;

  /** `unsure()` is called when there may be other cameras than before. */
  constructor(state, unsure) {
    this.#name = state.camera;
    this.#state = state;
    const { root, parts } = build('tile');
    this.root = root;
    this.#parts = parts;
    this.#stage = new Stage(parts.canvas, parts.stage);
    this.#loader = new PictureLoader({ load: fetchPicture, show: (picture) => this.#show(picture) });
    parts.link.href = `/cameras/${encodeURIComponent(this.#name)}/`;
    this.#socket = io(`/${this.#name}`, { ...CONNECTION, auth: { watch: false } });
    this.#socket.on('state', (state) => this.#update({ state }));
    const greeting = new Greeting(parts.greeting);
    this.#socket.on('wave', () => greeting.greet());
    this.#socket.on('connect', () => {
      this.#loader.restart();
      this.#update({ connection: 'on' });
      unsure();
    });
    const lost = (connection) => {
      this.#update({ connection: this.#socket.active ? 'lost' : connection });
      // socket.io does not come back by itself from what the server ended or refused: `back()` does, if it is still listed.
      if (['shut', 'refused'].includes(this.#connection)) unsure();
    };
    this.#socket.on('disconnect', (reason) => lost(reason === 'io server disconnect' ? 'shut' : 'lost'));
    this.#socket.on('connect_error', () => lost('refused'));
    this.tick();
  }

  /** Is its picture one of now? */
  get live() {
    return this.#running && localNow() - this.#shownAt < FRESH_MS;
  }

  get #connected() {
    return this.#connection === 'on';
  }

  get #running() {
    return this.#connected && ['live', 'lingering'].includes(this.#state.state);
  }

  leave() {
    this.#loader.stop();
    this.#socket.disconnect();
  }

  back() {
    if (!this.#socket.active) this.#socket.connect();
  }

  /** Fetches the newest picture of a camera that runs anyway. */
  look() {
    if (!this.#running || document.hidden) return;
    const url = new URL(`/cameras/${encodeURIComponent(this.#name)}/image_stream.jpg`, location.href);
    this.#loader.announce({ id: 0, url: url.href });
  }

  tick() {
    const { title, words, viewers: count } = this.#parts;
    const state = this.#state;
    setData(this.root, 'state', this.#connected ? state.state : 'lost');
    this.root.classList.toggle('is-live', this.live);
    setText(title, state.title || this.#name);
    setText(words, brief(state, this.#connection));
    setText(count, state.viewers > 0 && this.#connected ? viewers(state.viewers) : '');
    setHidden(count, !count.textContent);
    if (!this.#running) this.#stage.close();
  }

  #update({ state = this.#state, connection = this.#connection }) {
    const started = state.state !== this.#state.state;
    this.#state = state;
    this.#connection = connection;
    this.tick();
    if (started) this.look();
  }

  #show(picture) {
    this.#stage.show(picture);
    this.#shownAt = localNow();
    this.tick();
  }
}

/** Shows a tile for each of the states in the list that the returned function is called with, each time anew, and what `who` may see besides. */
export function showGrid({ unsure }) {
  const { root, parts } = build('grid-view');
  document.body.append(root);
  const tiles = new Map();
  const each = (action) => () => tiles.forEach(action);
  const look = each((tile) => tile.look());
  setInterval(look, PICTURE_MS);
  setInterval(() => {
    each((tile) => tile.tick())();
    const live = [...tiles.values()].some((tile) => tile.live);
    parts.top.classList.toggle('is-live', live);
    setTab('Cameras', live);
  }, 500);
  document.addEventListener('visibilitychange', look);
  addEventListener('pagehide', each((tile) => tile.leave()));
  addEventListener('pageshow', each((tile) => tile.back()));
  setTab('Cameras', false);
  return (states, who) => {
    setHidden(parts.stats, !who.may.manage);
    showWayIn(parts, who);
    for (const [name, tile] of tiles) {
      if (states.some(({ camera }) => camera === name)) continue;
      tile.leave();
      tile.root.remove();
      tiles.delete(name);
    }
    states.forEach((state, i) => {
      let tile = tiles.get(state.camera);
      if (tile) {
        tile.back();
      } else {
        tile = new Tile(state, unsure);
        tiles.set(state.camera, tile);
        tile.look();
      }
      const there = parts.list.children[i];
      if (there !== tile.root) parts.list.insertBefore(tile.root, there ?? null);
    });
  };
}
