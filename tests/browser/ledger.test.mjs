// When the camera was on, as its page tells it.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { DESKTOP, inState, live, morePictures, PHONE, shoot, start, stop } from './browser.mjs';
import { until } from './daemon.mjs';
import { idle, NETWORK, pageTest, TANK } from './page.mjs';

const LEDGER = /\/api\/cameras\/tank\/ledger/;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const line = (page) => page.locator('.ledger button');
/** Waits until the line says this. */
const says = (page, pattern) => page.waitForFunction(
  (source) => new RegExp(source).test(document.querySelector('.ledger button')?.textContent.trim() ?? ''),
  pattern.source,
);
const label = (page) => page.locator('svg.day').getAttribute('aria-label');
const marks = (page) => page.evaluate(() => [...document.querySelectorAll('.day :is(.was, .now, .unknown)')]
  .filter((mark) => mark.getBoundingClientRect().width > 0).map((mark) => mark.getAttribute('class')));
const marked = (page, ...wanted) => until(async () => (await marks(page)).join() === wanted.join(), `marks: ${wanted}`);
const rows = (page) => page.getByRole('table').locator('tbody tr').allInnerTexts();
const told = async (daemon) => (await fetch(`${daemon.url}/api/cameras/tank/ledger`)).json();

/** A ledger with these stretches, each `[how long ago, how long]`, milliseconds. */
function ledger(...stretches) {
  const now = Date.now();
  const all = stretches.map(([ago, on]) => ({
    from: now - ago, to: now - ago + on, on_ms: on, viewers: 2, why: 'a viewer came', ended: 'nobody watches',
  }));
  return { today: { on_ms: 0, times: 0, unknown: 0 }, now_on: false, now, stretches: all, notice: null };
}
const answer = (page, body) => page.route(LEDGER, (route) => route.fulfill({ json: body }));

/** A browser at a place where it is noon, whenever the test runs: its clock is that many hours ahead. */
function atNoon(options) {
  const shift = (24 + 12 - new Date().getUTCHours()) % 24;
  return { ...options, timezoneId: shift <= 12 ? `Etc/GMT-${shift}`.replace('-0', '') : `Etc/GMT+${24 - shift}` };
}

/** The edges of what is on the page, which nothing that comes later may move. */
const layout = (page) => page.evaluate(() => Object.fromEntries(['.top', '.stage', '.bar', '.ledger'].map((part) => {
  const { x, y, width, height } = document.querySelector(part).getBoundingClientRect();
  return [part, [x, y, width, height].map(Math.round).join()];
})));

describe('when the camera was on', () => {
  pageTest('is told while it is off and on, and after the last one has left', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    await says(page, /^Not on today$/);
    assert.equal(await label(page), 'The camera was not on in the last 24 hours');
    await marked(page);
    await start(page);
    await live(page);
    await says(page, /^On for (less than a|1) minute today, once$/);
    await marked(page, 'now');
    assert.match(await label(page), /^In the last 24 hours the camera was on since \d/);
    await stop(page);
    await idle(daemon);
    await marked(page, 'was');
    assert.match(await label(page), /was on from \d.* to \d/);
    await line(page).click();
    const [stretch] = (await told(daemon)).stretches;
    assert.deepEqual([stretch.viewers, stretch.why], [1, 'a viewer came']);
    const list = await rows(page);
    assert.equal(list.length, 2);
    assert.match(list[0], /^(To|Yester)day$/);
    assert.match(list[1].replace(/\s+/g, ' '), / s 1 a viewer came – nobody watches$/);
    await start(page);
    await marked(page, 'was', 'now');
    await until(async () => (await rows(page)).some((row) => /\bnow\b/.test(row)), 'a stretch that lasts in the list');
  });

  pageTest('is asked for when it changes, and not again and again', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    let asked = 0;
    page.on('request', (request) => { if (LEDGER.test(request.url())) asked += 1; });
    await says(page, /^Not on today$/);
    await start(page);
    await marked(page, 'now');
    let before = asked;
    const began = Date.now();
    await morePictures(page, 30);
    assert.ok(asked - before <= (Date.now() - began) / MINUTE, `${asked - before} more questions while it is on`);
    // Hidden, it asks nothing; seen again, at once.
    await page.evaluate(() => window.setHidden(true));
    before = asked;
    await idle(daemon);
    await until(async () => !(await told(daemon)).now_on, 'the end of the stretch');
    assert.equal(asked, before, 'while nobody sees it');
    await page.evaluate(() => window.setHidden(false));
    await live(page);
    await marked(page, 'was', 'now');
  });

  pageTest('counts by the day of who looks, to the minute', TANK, async ({ come, daemon }) => {
    const visitor = await come(atNoon(DESKTOP));
    await answer(visitor.page, ledger([13.5 * HOUR, 20 * MINUTE], [11.5 * HOUR, 10 * MINUTE], [3 * HOUR, 3 * MINUTE], [HOUR, MINUTE]));
    const page = await visitor.open(daemon.url);
    await says(page, /^On for 14 minutes today, 3 times$/);
    await marked(page, 'was', 'was', 'was', 'was');
    await line(page).click();
    const days = (await rows(page)).filter((row) => /day$/.test(row.trim()));
    assert.deepEqual(days.map((day) => day.trim()), ['Today', 'Yesterday']);
  });

  pageTest('is on the server’s clock, however wrong that of the browser is', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await visitor.page.addInitScript(() => {
      const origin = performance.timeOrigin - 5 * 3_600_000;
      Object.defineProperty(performance, 'timeOrigin', { get: () => origin });
    });
    await answer(visitor.page, ledger([HOUR, HOUR / 2]));
    const page = await visitor.open(daemon.url);
    await marked(page, 'was');
    const { x, width } = await page.evaluate(() => {
      const mark = document.querySelector('.day .was');
      return { x: parseFloat(mark.getAttribute('x')), width: parseFloat(mark.getAttribute('width')) };
    });
    // Of a day: an hour ago, for half an hour. The rest is what the test took.
    assert.ok(x > 93 && x <= 95.9 && Math.abs(width - 100 / 48) < 0.01, `${x} ${width}`);
  });

  pageTest('that can’t be had is said quietly, and comes by itself', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await visitor.page.route(LEDGER, (route) => route.fulfill({ status: 500, body: 'no' }));
    const page = await visitor.open(daemon.url, { expected: /500/ });
    await says(page, /^When the camera was on can’t be told now\. Trying again\.$/);
    assert.equal(await line(page).isDisabled(), true);
    await inState(page, 'off');
    await shoot(page, 'ledger-error');
    await visitor.page.unroute(LEDGER);
    await says(page, /^Not on today$/);
  });

  pageTest('is not said to go on when nobody answers', TANK, async ({ daemon, visit }) => {
    const page = await visit('/', { expected: NETWORK });
    await start(page);
    await live(page);
    await marked(page, 'now');
    await daemon.kill();
    await says(page, /can’t be told now/);
    await daemon.start();
    await live(page);
    await marked(page, 'unknown', 'now');
    await says(page, /^On (for at least \d+ minutes? today, twice|today, twice; for how long is not known)$/);
  });

  for (const [name, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    pageTest(`moves nothing on a ${name} when it is known, and has to be scrolled for only when its list is open`, TANK, async ({ come, daemon }) => {
      const visitor = await come(atNoon(options));
      let tell;
      const ready = new Promise((resolve) => { tell = resolve; });
      await visitor.page.route(LEDGER, async (route) => {
        await ready;
        await route.fulfill({ json: ledger(...Array.from({ length: 300 }, (_, i) => [23 * HOUR - i * 4 * MINUTE, MINUTE])) });
      });
      const page = await visitor.open(daemon.url);
      await inState(page, 'off');
      const before = await layout(page);
      tell();
      await says(page, /^On for .* today, \d+ times$/);
      assert.deepEqual(await layout(page), before);
      const size = () => page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]);
      const { width, height } = options.viewport;
      assert.deepEqual(await size(), [width, height]);
      await shoot(page, `ledger-${name}`);
      await line(page).focus();
      await page.keyboard.press('Enter');
      assert.equal(await line(page).getAttribute('aria-expanded'), 'true');
      assert.equal((await size())[0], width);
      assert.ok((await rows(page)).length > 300);
      await shoot(page, `ledger-${name}-open`);
      await page.keyboard.press('Enter');
      assert.deepEqual(await size(), [width, height]);
      await start(page);
      await live(page);
      assert.deepEqual(await size(), [width, height]);
    });
  }
});
