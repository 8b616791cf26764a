// The page of visitors.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { DESKTOP, inState, live, morePictures, PHONE, shoot, start } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { idle, pageTest, TANK } from './page.mjs';

const STATS = /\/api\/stats$/;
const DAY_MS = 86_400_000;

const text = (page) => page.locator('main').innerText();
const says = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector('main')?.innerText ?? ''), pattern.source);
const figures = (page, title = 'Aquarium') => page.evaluate((wanted) => {
  const card = [...document.querySelectorAll('.card')].find((one) => one.querySelector('h2').innerText === wanted);
  return card && Object.fromEntries([...card.querySelectorAll('.figures div')].map((pair) => [pair.children[0].innerText, pair.children[1].innerText]));
}, title);
const bars = (page) => page.locator('.plot .day').count();
const reading = (page) => page.locator('.reading').first().innerText();

/** What the server tells of a camera with this many visits on each of the last days, the newest last. */
function counted(name, title, visits, now = { viewers: 0 }) {
  const counts = (of) => ({ viewers_max: Math.ceil(of / 9), visits: of, pictures_sent: 1200 * of, bytes_sent: 30_000_000 * of, pictures_taken: 700 * of });
  const days = visits.map((of, i) => ({ day: new Date(Date.now() - (visits.length - 1 - i) * DAY_MS).toISOString().slice(0, 10), ...counts(of) }));
  return { camera: name, title, now, total: counts(visits.reduce((sum, of) => sum + of, 0)), days: days.filter(({ visits: of }) => of > 0) };
}
const told = (...cameras) => {
  const now = Date.now();
  return { since: now - 800 * DAY_MS, now, today: new Date(now).toISOString().slice(0, 10), cameras, notice: null };
};
const answer = (page, body) => page.route(STATS, (route) => route.fulfill({ json: body }));
const year = Array.from({ length: 400 }, (_, i) => Math.round(60 + 55 * Math.sin(i / 9)));

describe('visitors', () => {
  pageTest('are counted while they watch, and looking at the figures starts no camera', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    await inState(page, 'off');
    await page.getByRole('link', { name: 'Visitors' }).click();
    await page.waitForURL('**/stats');
    await says(page, /Nobody has watched yet/);
    assert.deepEqual(await figures(page), { 'Watching now': '0', 'Most at a time': '0', 'Visits': '0', 'Pictures sent': '0', 'Data sent': '0 B' });
    assert.equal(await page.locator('.plot:visible').count(), 0);
    assert.deepEqual(daemon.captures(), []);
    await shoot(page, 'stats-empty');
    const viewer = await visit();
    await start(viewer);
    await live(viewer);
    await morePictures(viewer, 5);
    // It is told anew by itself.
    const shown = await until(async () => {
      const all = await figures(page);
      return all['Watching now'] === '1' && all['Pictures sent'] !== '0' && all;
    }, 'one who watches, and has got pictures');
    assert.deepEqual([shown['Most at a time'], shown.Visits], ['1', '1']);
    assert.match(shown['Data sent'], /^[1-9][\d.]* [kM]B$/);
    assert.equal(await bars(page), 1);
    assert.match(await reading(page), /^7 days: 1 visit$/);
    await viewer.close();
    await idle(daemon);
    await until(async () => (await figures(page))['Watching now'] === '0', 'nobody');
    assert.equal((await figures(page)).Visits, '1');
    await page.getByRole('link', { name: 'Cameras', exact: true }).click();
    await inState(page, 'off');
  });

  pageTest('have a link from the choice of cameras, and one to each camera', TANK + camera({ name: 'door', title: 'Front door' }), async ({ visit }) => {
    const page = await visit();
    await page.waitForSelector('.tile');
    await page.getByRole('link', { name: 'Visitors' }).click();
    await page.waitForSelector('.card:nth-child(2)');
    assert.deepEqual(await page.locator('.card h2').allInnerTexts(), ['Aquarium', 'Front door']);
    await page.getByRole('link', { name: 'Front door' }).click();
    await page.waitForURL('**/cameras/door/');
    await inState(page, 'off');
  });

  for (const [name, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    pageTest(`of many days and cameras fit on a ${name}`, TANK, async ({ come, daemon }) => {
      const visitor = await come(options);
      await answer(visitor.page, told(counted('tank', 'Aquarium', year), counted('door', 'Front door', [3, 0, 5]), counted('attic', null, [1], null)));
      const page = await visitor.open(`${daemon.url}/stats`);
      await says(page, /not in the configuration any more/);
      assert.equal(await page.getByRole('link', { name: 'attic' }).count(), 0);
      for (const [what, days] of [['Visits', '30 days'], ['Most at a time', '90 days'], ['Data', '400 days']]) {
        await page.getByRole('radio', { name: what }).check();
        await page.getByRole('radio', { name: days }).check();
        assert.ok((await reading(page)).startsWith(`${days}: `), await reading(page));
        const wanted = year.slice(-parseInt(days, 10)).filter((of) => of > 0).length;
        await until(async () => (await page.locator('.plot').first().locator('.day').count()) === wanted, `${wanted} bars`);
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), options.viewport.width);
        // What is written on the plot lies beside each other, in the card.
        assert.ok(await page.evaluate(() => [...document.querySelectorAll('.card')].every((card) => {
          const { left, right } = card.getBoundingClientRect();
          const boxes = [...card.querySelectorAll('.days text')].map((label) => label.getBoundingClientRect());
          return boxes.every((box, i) => box.left >= left && box.right <= right && (i === 0 || box.left > boxes[i - 1].right));
        })), `${what}, ${days}`);
      }
      await shoot(page, `stats-${name}`);
    });
  }

  pageTest('can be read by keyboard alone', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await answer(visitor.page, told(counted('tank', 'Aquarium', [5, 0, 28])));
    const page = await visitor.open(`${daemon.url}/stats`);
    await says(page, /visits/);
    const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
    const slider = page.getByRole('slider', { name: 'Visits by day' });
    await press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.innerText.trim()), 'Cameras');
    await press('Tab', 'ArrowRight', 'ArrowRight');
    assert.equal(await page.getByRole('radio', { name: 'Pictures' }).isChecked(), true);
    assert.match(await reading(page), /^30 days: 39,600 pictures sent$/);
    await press('ArrowLeft', 'ArrowLeft', 'Tab', 'Tab', 'Tab');
    assert.equal(await slider.evaluate((plot) => plot === document.activeElement), true);
    assert.match(await reading(page), /: 28 visits$/);
    await press('ArrowLeft');
    assert.match(await reading(page), /: 0 visits$/);
    await press('ArrowLeft');
    assert.match(await reading(page), /: 5 visits$/);
    assert.equal(await slider.getAttribute('aria-valuetext'), await reading(page));
    await press('Home', 'End', 'ArrowRight');
    assert.match(await reading(page), /: 28 visits$/);
    await press('Tab', 'Enter');
    // A browser tells that it has been opened some time later.
    await page.waitForSelector('tbody tr');
    const rows = await page.locator('tbody tr').allInnerTexts();
    assert.deepEqual(rows.map((row) => row.split('\t').slice(1).map((cell) => cell.trim())), [
      ['28', '4', '33,600', '840 MB', '19,600'],
      ['5', '1', '6,000', '150 MB', '3,500'],
    ]);
    assert.match(await reading(page), /^30 days: 33 visits$/);
  });

  pageTest('of the day under the pointer are told', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await answer(visitor.page, told(counted('tank', 'Aquarium', [5, 0, 28])));
    const page = await visitor.open(`${daemon.url}/stats`);
    await page.locator('.plot .day').last().hover();
    await says(page, /: 28 visits/);
    await page.locator('h1').hover();
    await says(page, /30 days: 33 visits/);
  });

  pageTest('that can’t be had are said to be old, and come by themselves', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await visitor.page.route(STATS, (route) => route.fulfill({ status: 500, body: 'no' }));
    const page = await visitor.open(`${daemon.url}/stats`, { expected: /500|ERR_/ });
    await says(page, /The server does not answer\. Trying again…/);
    assert.equal(await page.locator('.card, form:visible').count(), 0);
    await shoot(page, 'stats-error');
    await visitor.page.unroute(STATS);
    await says(page, /Nobody has watched yet/);
    assert.doesNotMatch(await text(page), /does not answer/);
    await daemon.kill();
    await says(page, /these figures are old/);
    assert.match(await text(page), /Aquarium/);
    await daemon.start();
    await page.waitForFunction(() => !/figures are old/.test(document.querySelector('main').innerText));
  });

  pageTest('without JavaScript are somewhere else', TANK, async ({ visit }) => {
    const page = await visit('/stats', { options: { javaScriptEnabled: false } });
    assert.match(await page.locator('noscript').innerText(), /needs? JavaScript.*\/api\/stats/);
  });
});
