// Who watched: now, and by day. Asking starts no camera, and counts as no visit.

import { signInAddress } from './address.js';
import { build, setHidden, setText } from './dom.js';
import { getJson } from './json.js';
import { Plot } from './stats-plot.js';
import { bytes, calendar, dayInWords, number, plain, remark, since } from './stats-text.js';
import { capital } from './words.js';

const EACH_MS = 10_000;
const PATIENCE_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10_000;
const COLUMNS = ['visits', 'viewers_max', 'pictures_sent', 'bytes_sent', 'pictures_taken'];

const element = (id) => document.getElementById(id);
const choice = element('choice');
const cards = new Map();
let told = null;
let wait = FIRST_RETRY_MS;
let timer = null;

class Card {
  #parts;
  #plot;
  #camera = null;
  #shown = null;
  #drawn = '';

  constructor() {
    const { root, parts } = build('camera-stats');
    this.root = root;
    this.#parts = parts;
    this.#plot = new Plot(parts);
    parts.details.addEventListener('toggle', () => this.#list());
  }

  /** `days`: how far back; `measure`: what of them. */
  show(camera, { days, measure, today, began }) {
    this.#camera = camera;
    const { link, remark: note, now, most, visits, pictures, bytes: sent, nothing, shown, region } = this.#parts;
    const title = camera.title || camera.camera;
    setText(link, title);
    region.ariaLabel = `Days of ${title}`;
    // What is not there any more has no page.
    if (camera.now) link.href = `/cameras/${encodeURIComponent(camera.camera)}/`;
    else link.removeAttribute('href');
    setText(note, remark(camera));
    setText(now, camera.now ? number(camera.now.viewers) : '–');
    setText(most, number(camera.total.viewers_max));
    setText(visits, number(camera.total.visits));
    setText(pictures, number(camera.total.pictures_sent));
    setText(sent, bytes(camera.total.bytes_sent));
    const empty = camera.days.length === 0;
    setHidden(nothing, !empty);
    setHidden(shown, empty);
    if (empty) return;
    this.#shown = { calendar: calendar(camera.days, { today, count: days, began }), measure, today };
    this.#plot.show(this.#shown);
    this.#list();
  }

  #list() {
    if (!this.#parts.details.open || !this.#shown) return;
    const { calendar: all, today } = this.#shown;
    const days = all.filter(({ counts }) => counts).reverse();
    const drawn = JSON.stringify(days);
    // A list that is read, or scrolled, stays as it is while nothing of it is new.
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.#parts.rows.replaceChildren(...days.map(({ day, counts }) => {
      const row = document.createElement('tr');
      const head = document.createElement('th');
      head.scope = 'row';
      head.textContent = dayInWords(day, today);
      row.append(head, ...COLUMNS.map((measure) => {
        const cell = document.createElement('td');
        cell.textContent = plain(measure, counts[measure]);
        return cell;
      }));
      return row;
    }));
  }
}

function show() {
  if (!told) return;
  const { cameras, today, since: began, notice } = told;
  const asked = new FormData(choice);
  const given = { days: Number(asked.get('days')), measure: asked.get('measure'), today, began };
  setText(element('since'), `Counted since ${since(began)}`);
  setText(element('notice'), capital(notice));
  setHidden(choice, cameras.every(({ days }) => days.length === 0));
  for (const [name, card] of cards) {
    if (cameras.some(({ camera }) => camera === name)) continue;
    card.root.remove();
    cards.delete(name);
  }
  cameras.forEach((camera, i) => {
    if (!cards.has(camera.camera)) cards.set(camera.camera, new Card());
    const card = cards.get(camera.camera);
    const list = element('cameras');
    if (list.children[i] !== card.root) list.insertBefore(card.root, list.children[i] ?? null);
    card.show(camera, given);
  });
}

async function ask() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    told = await getJson('/api/stats', AbortSignal.timeout(PATIENCE_MS));
    wait = FIRST_RETRY_MS;
    setText(element('said'), '');
    show();
    again(EACH_MS);
  } catch (error) {
    if (error.status === 401) location.replace(signInAddress(location));
    setText(element('said'), told ? 'The server does not answer, so these figures are old. Trying again…' : 'The server does not answer. Trying again…');
    again(wait);
    wait = Math.min(2 * wait, LAST_RETRY_MS);
  }
}

function again(pause) {
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

choice.addEventListener('change', show);
document.addEventListener('visibilitychange', ask);
ask();
