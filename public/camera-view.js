// One camera: the picture first, a few words about it, and three buttons.

import { showWayIn } from './access-link.js';
import { localNow, ServerClock } from './clock.js';
import { ControlPanel } from './control-panel.js';
import { ControlValues } from './control-values.js';
import { build, setAttribute, setData, setHidden, setTab, setText } from './dom.js';
import { canFullScreen, toggleFullScreen, watchFullScreen } from './full-screen.js';
import { LedgerView } from './ledger.js';
import { Liveness } from './liveness.js';
import { announced } from './picture.js';
import { Pictures } from './pictures.js';
import { CONNECTION, Session } from './session.js';
import { Stage } from './stage.js';
import { carried, delay, describe, duration, fileName, pace, viewers } from './state-text.js';
import { choose } from './transport.js';
import { watchVisibility } from './visibility.js';
import { Waves } from './wave.js';
import { capital, refusal } from './words.js';

const TICK_MS = 250;
const QUIET_MS = 3_000;
const RESUME_MS = 2_000;
const ASK_MS = 10_000;

export class CameraView {
  #parts;
  #root;
  #name;
  #base;
  #session;
  #stage;
  #pictures;
  #clock;
  #values = new ControlValues((method, settings) => this.#ask(method, settings));
  #ledger;
  #liveness = new Liveness();
  #numbersAt = 0;
  #waves;
  #key = '';
  #transport;
  #watching = false;
  #isFull = false;
  #resumedAt = -Infinity;
  #manages = false;
  #panel = null;
  #strange;

  /**
   * `name` of the camera, or null for the one at `/`; `unsure()` is called when there may be other cameras than before,
   * `strange()` when the server does not know any more who this is.
   */
  constructor(name, { unsure, strange }) {
    this.#strange = strange;
    this.#name = name;
    this.#base = new URL(name === null ? '/' : `/cameras/${encodeURIComponent(name)}/`, location.href).href;
    const { root, parts } = build('camera-view');
    this.#root = root;
    this.#parts = parts;
    this.#stage = new Stage(parts.canvas, parts.stage);
    this.#pictures = new Pictures({ base: this.#base, show: (picture) => this.#show(picture) });
    document.body.append(root);
    new ControlPanel(root, parts, this.#values);
    this.#ledger = new LedgerView(parts);
    this.#connect(unsure);
    this.#waves = new Waves(parts, this.#session);
    this.#listen();
    setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  setSeveral(several) {
    setHidden(this.#parts.all, !several);
  }

  /** Who this browser is to the daemon: what it may not do is not offered. */
  setWho(who) {
    this.#manages = who.may.manage;
    this.#root.classList.toggle('manages', this.#manages);
    showWayIn(this.#parts, who);
    this.#ledger.allow(this.#manages);
    this.#hearPanel();
  }

  #hearPanel() {
    if (this.#manages && this.#panel) this.#values.hear(this.#panel);
  }

  /** How the configuration wants pictures to come. */
  setTransport(wanted) {
    this.#transport = wanted;
    this.#prefer();
  }

  #prefer() {
    const interval = this.#session.state?.interval_ms ?? 0;
    this.#pictures.prefer(choose({ wanted: this.#transport, trip: this.#clock.trip, interval, now: this.#pictures.preferred }));
  }

  #connect(unsure) {
    const namespace = this.#name === null ? '/' : `/${this.#name}`;
    this.#session = new Session((auth) => io(namespace, { ...CONNECTION, auth }), { away: document.hidden });
    this.#clock = new ServerClock(() => this.#session.askTime());
    this.#session.addEventListener('connect', () => {
      this.#pictures.restart();
      this.#clock.forget();
      unsure();
    });
    this.#session.addEventListener('shut', unsure);
    this.#session.addEventListener('strange', this.#strange);
    this.#session.addEventListener('change', () => this.#changed());
    this.#session.addEventListener('picture', ({ detail }) => {
      const picture = announced(detail, this.#base);
      if (picture) this.#pictures.announce(picture);
    });
    this.#session.addEventListener('controls', ({ detail }) => {
      this.#panel = detail;
      this.#hearPanel();
    });
    watchVisibility({
      hidden: () => this.#session.setAway(true),
      visible: () => this.#session.setAway(false),
      leave: () => this.#session.close(),
      back: () => {
        this.#session.setAway(document.hidden);
        this.#session.open();
      },
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#clock.forget();
      this.#tick();
    });
  }

  #listen() {
    const { start, stop, save, full } = this.#parts;
    start.addEventListener('click', () => this.#session.start());
    stop.addEventListener('click', () => this.#session.stop());
    save.addEventListener('click', () => this.#save());
    full.addEventListener('click', () => toggleFullScreen(this.#root));
    addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
      // There a letter chooses or is text.
      if (event.target.matches?.('input, select')) return;
      if (event.key === 'f' && canFullScreen) toggleFullScreen(this.#root);
      if (event.key === 's' && !save.hidden) this.#save();
      if (event.key === 'w') this.#waves.wave();
    });
    const low = matchMedia('(max-height: 480px) and (orientation: landscape)');
    const immerse = () => this.#root.classList.toggle('immersive', this.#isFull || low.matches);
    watchFullScreen((now) => {
      this.#isFull = now;
      full.setAttribute('aria-pressed', String(now));
      full.setAttribute('aria-label', now ? 'Leave full screen' : 'Full screen');
      immerse();
    });
    low.addEventListener('change', immerse);
    this.#hideControlsWhenQuiet();
  }

  #hideControlsWhenQuiet() {
    let timer = null;
    const stir = () => {
      clearTimeout(timer);
      this.#root.classList.remove('quiet');
      timer = setTimeout(() => this.#root.classList.add('quiet'), QUIET_MS);
    };
    for (const event of ['pointermove', 'pointerdown', 'keydown', 'focusin']) addEventListener(event, stir, { passive: true });
    stir();
  }

  /** The session has something new. */
  #changed() {
    const { wish, watching, state } = this.#session;
    this.#ledger.hear(this.#session);
    if (state?.size && !this.#stage.picture) this.#stage.setSize(state.size);
    if (state) this.#liveness.paced(state.interval_ms);
    if (watching) this.#pictures.start();
    else this.#pictures.stop();
    if (watching && !this.#watching) this.#resumedAt = localNow();
    this.#watching = watching;
    if (wish !== 'watch') {
      this.#stage.close();
      this.#liveness.clear();
    }
    // When it is back, the server tells anew what it offers; who this browser is may be told only later.
    if (this.#session.refused) {
      this.#panel = null;
      if (this.#values.panel.controls.length > 0) this.#values.hear({ known: false, controls: [] });
    }
    // Who joins need not wait for the next picture: with an interval of a minute that would be long.
    // With a delay there may be none yet.
    if (watching && state?.state === 'live' && !state.delay_ms && this.#pictures.newest === 0) {
      this.#pictures.announce({ id: 0, url: new URL('image_stream.jpg', this.#base).href });
    }
    this.#tick();
  }

  #show(picture) {
    this.#stage.show(picture);
    // As late as it is meant to be is in time.
    const wanted = this.#session.state?.delay_ms ?? 0;
    this.#liveness.shown(picture.id / 1000 + wanted, localNow(), this.#clock.offset);
    if (this.#key !== 'live') this.#tick();
  }

  #tick() {
    const session = this.#session;
    const now = localNow();
    const { offset } = this.#clock;
    const interval = session.state?.interval_ms ?? 0;
    const verdict = this.#liveness.verdict(now, offset, interval);
    const behind = this.#pictures.newest > (this.#stage.picture?.id ?? 0);
    const resumed = now - this.#resumedAt < RESUME_MS;
    const text = describe({ session, verdict, behind, resumed });
    const live = text.key === 'live' && !document.hidden;
    if (session.connected) this.#clock.refresh();
    this.#prefer();
    this.#say(text);
    this.#root.classList.toggle('is-live', live);
    setData(this.#root, 'transport', this.#pictures.way);
    this.#offer(text.key);
    this.#more(text, now, offset);
    if (live && now - this.#numbersAt >= 2 * TICK_MS) {
      this.#numbersAt = now;
      this.#numbers();
    }
    setTab(this.#title, live);
  }

  get #title() {
    return this.#session.state?.title || this.#name || 'Camera';
  }

  #say({ key, title, detail, label: note = '' }) {
    const { heading, word, detail: line, title: name, canvas, notice, note: corner } = this.#parts;
    this.#key = key;
    setData(this.#root, 'state', key);
    setText(heading, title);
    setText(word, title);
    setText(line, detail);
    setText(name, this.#title);
    setText(corner, this.#stage.picture ? note : '');
    const label = this.#stage.picture ? [`Picture of ${this.#title}`, note].filter(Boolean).join('. ') : 'No picture';
    setAttribute(canvas, 'aria-label', label);
    const { state } = this.#session;
    setText(notice, capital(state?.notice));
  }

  #offer(key) {
    const { start, stop, save, full } = this.#parts;
    const gone = key === 'gone';
    const wanted = this.#session.wish === 'watch' && !gone;
    const focus = document.activeElement;
    setHidden(start, wanted || gone || key === 'connecting');
    setHidden(stop, !wanted);
    // A hidden button loses the focus to nowhere; who pressed it by keyboard goes on with its counterpart.
    if (focus === start && start.hidden) stop.focus();
    if (focus === stop && stop.hidden) start.focus();
    setHidden(save, gone || !this.#stage.picture);
    setHidden(full, !canFullScreen || !(wanted || this.#isFull));
  }

  /** What changes by itself: the age of the picture, and the time until the next try. */
  #more({ key, why = '' }, now, offset) {
    const { more, age: corner } = this.#parts;
    const { state, heardAt } = this.#session;
    const lines = [];
    const age = this.#liveness.age(now, offset);
    const old = age === null || age < 1000 ? '' : `Picture from ${duration(age)} ago`;
    if (key === 'failed' && state?.retry_in_ms != null) {
      const left = Math.ceil((state.retry_in_ms - (now - heardAt)) / 1000);
      lines.push(left > 0 ? `Next try in ${left} s` : 'Trying again');
    }
    if (old && ['failed', 'stalled', 'lost', 'starting'].includes(key)) lines.push(old);
    setText(more, lines.join(' · '));
    setText(corner, key === 'late' ? old : why);
  }

  #numbers() {
    const { state } = this.#session;
    setText(this.#parts.fps, pace(this.#liveness.gap));
    setText(this.#parts.delay, delay(this.#liveness.delay));
    setText(this.#parts.viewers, state ? viewers(state.viewers) : '');
    this.#parts.delay.title = carried(this.#pictures.way, this.#clock.trip);
    this.#parts.fps.title = state?.fps ? `The camera takes ${pace(1000 / state.fps)}` : '';
  }

  /** Asks the server to set something. */
  async #ask(method, settings) {
    const name = this.#session.state?.camera ?? this.#name;
    try {
      const answer = await fetch(`/api/cameras/${encodeURIComponent(name)}/controls`, {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: settings && JSON.stringify(settings),
        signal: AbortSignal.timeout(ASK_MS),
      });
      const told = await answer.json();
      if (answer.status === 401) this.#strange();
      return answer.ok ? { panel: told } : { problem: refusal(told) };
    } catch {
      return { problem: 'The server does not answer, so nothing was set.' };
    }
  }

  #save() {
    const { picture } = this.#stage;
    if (!picture) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(picture.blob);
    link.download = fileName(this.#title, picture.taken);
    link.click();
    // Browsers read the address after the click has returned.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    const { said } = this.#parts;
    setText(said, `Saved ${link.download}`);
    setTimeout(() => setText(said, ''), 4_000);
  }
}
