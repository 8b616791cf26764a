// Debian's Chromium, and what the tests ask of a page in it.

import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { PATIENCE_MS } from './daemon.mjs';

const SHOTS = fileURLToPath(new URL('screenshots/', import.meta.url));

export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
export const DESKTOP = { viewport: { width: 1280, height: 800 } };

export async function launch() {
  mkdirSync(SHOTS, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    timeout: PATIENCE_MS,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run',
      // A name of this machine that is not one of loopback to the page.
      '--host-resolver-rules=MAP pi.local 127.0.0.1'],
  });
}

/** Makes `document.hidden` what the test says: a browser without a screen shows every tab. */
function visibility(hidden) {
  Object.defineProperty(document, 'hidden', { get: () => hidden });
  Object.defineProperty(document, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') });
  window.setHidden = (value) => {
    hidden = value;
    document.dispatchEvent(new Event('visibilitychange'));
  };
}

/** Notes the ids of the pictures in the order in which they were on the screen, and the states that the page was in. */
function watchPictures() {
  window.shown = [];
  window.states = [];
  new MutationObserver((changes) => {
    for (const { oldValue } of changes) window.states.push(oldValue);
  }).observe(document, { subtree: true, attributeFilter: ['data-state'], attributeOldValue: true });
  new MutationObserver(() => {
    const id = Number(document.querySelector('canvas')?.dataset.id ?? 0);
    if (id && window.shown.at(-1) !== id) window.shown.push(id);
  }).observe(document, { subtree: true, childList: true, attributeFilter: ['data-id'] });
}

/**
 * Opens pages that note what must not happen: `complaints` holds console errors, uncaught exceptions, breaches of the
 * content security policy and requests to other hosts.
 */
export class Visitor {
  complaints = [];

  static async come(browser, { hidden = false, ...options } = DESKTOP) {
    const visitor = new Visitor();
    visitor.context = await browser.newContext(options);
    visitor.context.setDefaultTimeout(PATIENCE_MS);
    await visitor.context.addInitScript(visibility, hidden);
    await visitor.context.addInitScript(watchPictures);
    visitor.page = await visitor.context.newPage();
    return visitor;
  }

  /** `expected`: console errors that the test provokes, such as a refused connection. */
  async open(url, { expected = null } = {}) {
    const { page } = this;
    const { origin } = new URL(url);
    page.on('console', (message) => {
      const said = `${message.text()} ${message.location().url}`;
      if (message.type() === 'error' && !expected?.test(said)) this.complaints.push(said);
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack));
    page.on('request', (request) => {
      const asked = new URL(request.url());
      if (['http:', 'https:'].includes(asked.protocol) && asked.origin !== origin) this.complaints.push(request.url());
    });
    page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== new URL(origin).host) this.complaints.push(socket.url());
    });
    await page.goto(url);
    return page;
  }

  async leave() {
    // A request that a test holds up may be under way still, and its answer then fails outside of every test.
    await Promise.all(this.context.pages().map((page) => page.unrouteAll({ behavior: 'ignoreErrors' })));
    await this.context.close();
  }
}

export const start = (page) => page.getByRole('button', { name: 'Start Camera', exact: true }).click();
export const stop = (page) => page.getByRole('button', { name: 'Stop', exact: true }).click();
export const live = (page) => page.waitForSelector('.camera.is-live');
export const inState = (page, state) => page.waitForSelector(`.camera[data-state="${state}"]`);
/** What the page says in a state and whether it claims to be live, read at once: a state may last for a moment only. */
export const saying = async (page, state) => (await page.waitForFunction((wanted) => {
  const camera = document.querySelector('.camera');
  return camera?.dataset.state === wanted && { words: camera.querySelector('.say').innerText, live: camera.classList.contains('is-live') };
}, state)).jsonValue();
/** Waits until the page was in a state, and is not any more. */
export const wasInState = (page, state) => page.waitForFunction((wanted) => window.states.includes(wanted), state);
export const words = (page) => page.locator('.say').innerText();
export const isLive = (page) => page.evaluate(() => document.querySelector('.camera').classList.contains('is-live'));
export const shownIds = (page) => page.evaluate(() => window.shown);

/** Waits for `count` further pictures on the screen. */
export async function morePictures(page, count = 3) {
  const before = (await shownIds(page)).length;
  await page.waitForFunction((enough) => window.shown.length >= enough, before + count);
}

/** Writes `screenshots/NAME-dark.png` and `-light.png`, with the lid's movement over. */
export async function shoot(page, name) {
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => Promise.all(document.getAnimations()
      .filter((animation) => animation instanceof CSSTransition)
      .map((animation) => animation.finished.catch(() => {}))));
    await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png` });
  }
}
