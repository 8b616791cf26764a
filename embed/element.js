// <eyelid-camera src="https://cam.example/cameras/desk">: a camera on a page of any site. What it takes and tells is in
// docs/embed.md. It has one connection while it plays and is seen, and none else, so that the camera can rest.

import { Pictures } from './pictures.js';
import { place } from './place.js';
import sheetText from './style.css';
import { Wire } from './wire.js';
import { fill, texts, words } from './words.js';

const FIRST_WAIT_MS = 500;
const LAST_WAIT_MS = 30_000;

// Not a <style>: a site's content security policy may forbid those.
const sheet = new CSSStyleSheet();
sheet.replaceSync(sheetText);
const calm = matchMedia('(prefers-reduced-motion: reduce)');

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  element.className = name;
  if (name) element.part.add(name);
  element.append(...inside);
  return element;
}

/** Not an emoji: not every machine has letters for those. */
function hand() {
  const [svg, path] = ['svg', 'path'].map((tag) => document.createElementNS('http://www.w3.org/2000/svg', tag));
  svg.setAttribute('viewBox', '0 0 24 24');
  path.setAttribute('d', 'M8.5 12.5V6a1.4 1.4 0 0 1 2.8 0V4.2a1.4 1.4 0 0 1 2.8 0V6a1.4 1.4 0 0 1 2.8 0v8.5c0 4-2.4 6.5-6 6.5-2.7 0-4.3-1-5.6-3.1L3 14a1.5 1.5 0 0 1 2.5-1.6L8.5 15v-2.5M11.3 6v5.5M14.1 6v5.5M20 4.5c.9.9 1.3 1.9 1.4 3.1');
  svg.append(path);
  svg.ariaHidden = true;
  return svg;
}

class EyelidCamera extends HTMLElement {
  static observedAttributes = ['src', 'paused', 'background', 'label', 'wave', 'pause-offscreen', 'fade-on-scroll'];
  static texts = texts;

  /** The last that the camera told of itself. */
  state = null;
  #picture = make('div', 'picture', make('canvas', ''), make('canvas', ''));
  #stage = make('div', 'stage', this.#picture);
  #label = make('p', 'label');
  #note = make('p', 'note');
  #wave = make('button', 'wave', hand());
  #pause = make('button', 'pause');
  #pictures = new Pictures((bitmap, taken) => this.#show(bitmap, taken), () => this.#missed());
  /** What ends with its time in the page. */
  #life = null;
  #place = null;
  #wire = null;
  /** What visitor or page want, if they have said so. */
  #choice = null;
  #problem = '';
  #wait = FIRST_WAIT_MS;
  #again = 0;
  #asking = 0;
  #noting = 0;
  #frame = 0;
  /** A picture has come by this connection. */
  #fresh = false;
  /** When the picture was taken that is all that is shown. */
  #still = 0;
  #away = false;
  #faded = false;
  #frozen = false;

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#stage, make('div', 'bar', this.#label, this.#note, this.#wave, this.#pause));
    this.#label.role = this.#note.role = 'status';
    this.#picture.role = 'img';
    this.#wave.type = this.#pause.type = 'button';
    this.#pause.onclick = () => this.#choose(!this.playing);
    this.#wave.onclick = () => this.#wire?.say('wave', ({ ok, error, retry_in_ms: wait }) => {
      this.#say(ok ? texts.waved : wait ? fill(texts.wait, Math.ceil(wait / 1_000)) : error);
    });
  }

  /** Whether it shows what comes while it is seen. */
  get playing() {
    return this.#choice ?? !(this.hasAttribute('paused') || this.#restrained);
  }

  play() {
    this.#choose(true);
  }

  pause() {
    this.#choose(false);
  }

  connectedCallback() {
    if (this.#life) return;
    this.#life = new AbortController();
    const { signal } = this.#life;
    const on = (target, event, action) => target.addEventListener(event, action, { capture: true, passive: true, signal });
    on(document, 'visibilitychange', () => this.#update());
    on(calm, 'change', () => this.#update());
    on(window, 'pagehide', () => this.#freeze(true));
    on(window, 'pageshow', () => this.#freeze(false));
    for (const event of ['scroll', 'resize']) on(window, event, () => { this.#frame ||= requestAnimationFrame(() => this.#scroll()); });
    const observer = new IntersectionObserver((seen) => {
      this.#away = !seen.at(-1).isIntersecting;
      this.#update();
    });
    observer.observe(this.#stage);
    signal.onabort = () => observer.disconnect();
    this.#find();
  }

  disconnectedCallback() {
    // Who moves it takes it out and puts it in again at once.
    queueMicrotask(() => {
      if (this.isConnected || !this.#life) return;
      this.#life.abort();
      this.#life = null;
      this.#update();
      this.#pictures.stop();
    });
  }

  attributeChangedCallback(name, old, value) {
    if (name === 'paused') this.#choice = null;
    if (!this.#life || old === value) return;
    if (name === 'src') this.#find();
    else this.#update();
  }

  /** Who wants no motion or no data gets one picture, and more on request. */
  get #restrained() {
    return calm.matches || !!navigator.connection?.saveData;
  }

  #choose(playing) {
    this.#choice = playing;
    this.#update();
    this.#tell(playing ? 'play' : 'pause');
  }

  #freeze(frozen) {
    this.#frozen = frozen;
    this.#update();
  }

  #tell(event, detail) {
    this.dispatchEvent(new CustomEvent(`eyelid-${event}`, { detail, bubbles: true }));
  }

  /** Begins anew with the camera at `src`. */
  #find() {
    this.#hangUp();
    this.#pictures.restart();
    for (const canvas of this.#picture.children) canvas.width = canvas.height = 0;
    this.state = null;
    this.#still = 0;
    this.#problem = '';
    this.#wait = FIRST_WAIT_MS;
    this.#place = place(this.getAttribute('src'), document.baseURI);
    if (!this.#place) this.#fail('src');
    this.#update();
  }

  /** Has what there is to be: a connection or none, a still picture, and words. */
  #update() {
    if (this.#life) this.#scroll();
    const away = (this.#away || this.#faded) && this.hasAttribute('pause-offscreen');
    const seen = this.#life && this.#place && !document.hidden && !this.#frozen && !away;
    if (!seen || !this.playing) this.#hangUp();
    else if (!this.#wire && !this.#again) this.#open();
    if (seen && !this.playing && this.#restrained && !this.hasAttribute('paused') && !this.#pictures.newest) {
      const width = Math.ceil((this.#stage.clientWidth || 640) / 320) * 320;
      this.#pictures.announce(1, `${this.#place.base}snapshot.jpg?max_age=1m&width=${width}`);
    }
    this.#render();
  }

  #open() {
    try {
      this.#wire = new Wire(this.#place, (event, detail) => this.#hear(event, detail));
    } catch {
      this.#fail('insecure');
    }
  }

  #hangUp() {
    clearTimeout(this.#again);
    clearTimeout(this.#asking);
    this.#again = this.#asking = 0;
    if (!this.#wire) return;
    this.#wire.close();
    this.#wire = null;
    this.#pictures.stop();
    this.#fresh = false;
  }

  #hear(event, detail) {
    if (event === 'connected') {
      this.#problem = '';
      this.#wait = FIRST_WAIT_MS;
      this.#pictures.restart();
      this.#wire.say('start-stream');
    } else if (event === 'state') {
      this.state = detail;
      // The session may have ended, as when the daemon has got another first camera.
      if (!detail.session) this.#asking ||= setTimeout(() => this.#ask(), 1_000);
      this.#tell('state', detail);
    } else if (event === 'liveStream') {
      const [url, id] = /^image_stream\.jpg\?_t=(\d+)$/.exec(detail) ?? [];
      if (url) this.#pictures.announce(Number(id), this.#place.base + url);
    } else if (event === 'wave') {
      if (this.hasAttribute('wave')) this.#greet();
      this.#tell('wave', detail);
    } else if (event === 'refused') {
      this.#retry(LAST_WAIT_MS);
      this.#fail('refused', detail.message);
    } else if (event === 'closed') {
      const { connected } = this.#wire;
      this.#retry(this.#wait);
      this.#wait = Math.min(2 * this.#wait, LAST_WAIT_MS);
      if (!connected) this.#probe();
    }
    this.#render();
  }

  #ask() {
    this.#asking = 0;
    if (!this.state.session) this.#wire.say('start-stream');
  }

  /** Tries again after about so long, as not all visitors should at once. */
  #retry(wait) {
    this.#hangUp();
    this.#again = setTimeout(() => {
      this.#again = 0;
      this.#update();
    }, wait * (.7 + .6 * Math.random()));
  }

  #fail(reason, message = fill(texts[reason], location.origin)) {
    if (this.#problem === message) return;
    this.#problem = message;
    this.#tell('error', { reason, message });
  }

  /** Why there is no connection, which a WebSocket does not tell. Neither question starts the camera. */
  async #probe() {
    const at = this.#place;
    const answers = (url) => fetch(url, { method: 'HEAD' }).then(() => true, () => false);
    const reason = await answers(`${at.base}image_stream.jpg`) ? 'socket'
      : await answers(`${at.root}embed.js`) ? 'refused' : 'unreachable';
    if (this.#place !== at || this.#wire?.connected || !this.#life) return;
    this.#fail(reason);
    this.#render();
  }

  /** A picture was not to be had. The next may be. */
  #missed() {
    this.#fail('missed');
    if (!this.#wire) this.#retry(LAST_WAIT_MS);
    this.#render();
  }

  #show(bitmap, taken) {
    const { width, height } = bitmap;
    const wish = this.getAttribute('fade');
    const long = (parseFloat(wish) || 800) * (/\ds$/.test(wish) ? 1_000 : 1);
    const fade = wish === null || calm.matches ? 0 : Math.min(long, .8 * (this.state?.interval_ms ?? long));
    // The last one is on top.
    const canvas = fade ? this.#picture.firstChild : this.#picture.lastChild;
    canvas.width = width;
    canvas.height = height;
    canvas.getContext('bitmaprenderer').transferFromImageBitmap(bitmap);
    this.#stage.style.setProperty('--ratio', width / height);
    if (fade) {
      this.#picture.append(canvas);
      canvas.animate({ opacity: [0, 1] }, fade);
    }
    this.#fresh = true;
    this.#problem = '';
    this.#still = this.playing ? 0 : taken;
    this.#render();
    this.#tell('picture', { id: this.#pictures.newest, width, height, recorded: !!this.state?.recorded });
    const rate = Number(this.getAttribute('max-fps'));
    return Math.max(fade, rate > 0 ? 1_000 / rate : 0);
  }

  #scroll() {
    this.#frame = 0;
    const { top, height } = this.#stage.getBoundingClientRect();
    const gone = this.hasAttribute('fade-on-scroll') && (this.getAttribute('background') === '' ? scrollY / innerHeight : -top / height);
    const opacity = Math.min(1, Math.max(0, 1 - gone));
    this.#stage.style.opacity = opacity;
    if (this.#faded === !opacity) return;
    this.#faded = !opacity;
    this.#update();
  }

  #greet() {
    const waving = hand();
    waving.part.add('hand');
    if (!calm.matches) waving.animate({ rotate: ['0deg', '16deg', '-14deg', '0deg'] }, { duration: 600, iterations: 4 });
    this.#say(waving, texts.waves);
  }

  #say(...said) {
    this.#note.replaceChildren(...said);
    clearTimeout(this.#noting);
    this.#noting = setTimeout(() => this.#note.replaceChildren(), 5_000);
  }

  #render() {
    const { playing } = this;
    const said = words({
      problem: this.#problem,
      still: this.#still,
      playing,
      shown: this.#pictures.newest,
      connected: this.#wire?.connected,
      tried: this.#wait > FIRST_WAIT_MS,
      fresh: this.#fresh,
      state: this.state,
    });
    if (this.#label.textContent !== said) this.#label.textContent = said;
    this.#picture.part.toggle('live', playing && this.#fresh && !said);
    this.#picture.part.toggle('paused', !playing);
    const label = this.getAttribute('label');
    this.#picture.ariaLabel = label || this.state?.title || texts.picture;
    // A background that nobody has put into words is decoration.
    this.#picture.ariaHidden = this.hasAttribute('background') && !label;
    this.#pause.classList.toggle('play', !playing);
    this.#pause.ariaLabel = this.#pause.title = playing ? texts.pause : texts.play;
    this.#wave.ariaLabel = this.#wave.title = texts.wave;
    this.#wave.hidden = !this.hasAttribute('wave') || !this.#wire?.connected;
  }
}

if (!customElements.get('eyelid-camera')) customElements.define('eyelid-camera', EyelidCamera);
