// Waves: on the page, on the choice of cameras, and by the element on another site.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { inState, live, PHONE, shoot, start } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { NETWORK, pageTest, TANK } from './page.mjs';
import { button, embedTest, more, TANK as SHOWN, told } from './site.mjs';

/** Notes from now on what is said in the corner of the picture. */
async function listen(page, selector = '.greeting') {
  await page.locator(selector).first().waitFor({ state: 'attached' });
  await page.evaluate((where) => {
    window.said = [];
    const place = document.querySelector(where);
    new MutationObserver(() => { if (place.textContent) window.said.push(place.textContent); }).observe(place, { childList: true });
  }, selector);
}

/** Waits until something of the kind was said. */
const said = (page, pattern) => page.waitForFunction((source) => window.said.some((text) => new RegExp(source).test(text)), pattern.source);

const wave = (page) => page.getByRole('button', { name: 'Wave', exact: true });

/** Where everything is that a greeting must not move. */
const places = (page) => page.evaluate(() => JSON.stringify([...document.querySelectorAll('.stage, .bar, .controls, .controls .button')]
  .map((element) => element.getBoundingClientRect())));

describe('a wave', () => {
  pageTest('is seen by all others and answered to who waved, starts no camera and moves nothing', TANK, async ({ daemon, visit }) => {
    const [page, other, third] = [await visit(), await visit(), await visit('/cameras/tank/')];
    for (const one of [page, other, third]) {
      await inState(one, 'off');
      await wave(one).waitFor();
      await listen(one);
    }
    const before = await places(other);
    await wave(page).focus();
    await page.keyboard.press('Enter');
    await said(page, /^You waved$/);
    await Promise.all([other, third].map((one) => said(one, /^Somebody waves$/)));
    assert.equal(await places(other), before);
    // Where the machine was so slow that the pause was over, once more.
    await until(async () => {
      await page.keyboard.press('w');
      await page.waitForFunction(() => window.said.length > 1);
      return page.evaluate(() => window.said.some((text) => /^Wait [1-9]\d? s$/.test(text)));
    }, 'the refusal');
    assert.ok(!await page.evaluate(() => window.said.some((text) => /Somebody/.test(text))), 'its own wave');
    await page.waitForFunction(() => document.querySelector('.greeting').textContent === '');
    assert.deepEqual([daemon.captures(), (await daemon.state('tank')).state], [[], 'idle']);
  });

  pageTest('stands on the live picture', TANK, async ({ visit }) => {
    const [page, other] = [await visit(), await visit()];
    await start(page);
    await Promise.all([live(page), live(other)]);
    await listen(other);
    await wave(page).click();
    await said(other, /^Somebody waves$/);
    await shoot(other, 'wave');
    await shoot(page, 'waved');
  });

  pageTest('can be sent from a phone, where everything has its place', TANK, async ({ visit }) => {
    const first = await visit();
    await start(first);
    await live(first);
    for (const [width, name] of [[390, 'wave-phone'], [320, 'wave-small-phone']]) {
      const page = await visit('/', { options: { ...PHONE, viewport: { width, height: 700 } } });
      await live(page);
      const other = await visit();
      await listen(page);
      await wave(other).click();
      await said(page, /^Somebody waves$/);
      await shoot(page, name);
      const { inside, rows } = await page.evaluate(() => {
        const buttons = [...document.querySelectorAll('.controls .button:not([hidden])')].map((one) => one.getBoundingClientRect());
        return {
          inside: buttons.every(({ left, right }) => left >= 0 && right <= innerWidth) && document.documentElement.scrollWidth <= innerWidth,
          rows: new Set(buttons.map(({ top }) => top)).size,
        };
      });
      assert.deepEqual([inside, rows], [true, 1], `${width} pixels`);
      await other.close();
      await page.close();
    }
  });

  pageTest('does not move for who wants no motion', TANK, async ({ visit }) => {
    const [page, calm] = [await visit(), await visit('/', { options: { reducedMotion: 'reduce' } })];
    await listen(calm);
    await wave(calm).waitFor();
    await calm.evaluate(() => {
      const place = document.querySelector('.greeting');
      new MutationObserver(() => { window.moves = [place, ...place.children].flatMap((one) => one.getAnimations()).filter((one) => one instanceof CSSAnimation).length; }).observe(place, { childList: true });
    });
    await wave(page).click();
    await said(calm, /^Somebody waves$/);
    assert.equal(await calm.evaluate(() => window.moves), 0);
  });

  pageTest('waits for the connection', TANK, async ({ daemon, visit }) => {
    const page = await visit('/', { expected: NETWORK });
    await wave(page).waitFor();
    await daemon.kill();
    await inState(page, 'lost');
    assert.equal(await wave(page).isDisabled(), true);
    await daemon.start();
    await page.waitForFunction(() => !document.querySelector('.controls .wave').disabled);
    await listen(page);
    await wave(page).click();
    await said(page, /^You waved$/);
  });

  pageTest('is seen at its camera where there are several', TANK + camera({ name: 'door' }), async ({ visit }) => {
    const [page, all] = [await visit('/cameras/door/'), await visit()];
    await all.locator('.tile').nth(1).waitFor();
    await listen(all, '.tile:nth-child(2) .greeting');
    await wave(page).waitFor();
    // Once the tile listens too.
    await all.waitForFunction(() => document.querySelector('.tile:nth-child(2)').dataset.state === 'idle');
    await wave(page).click();
    await said(all, /^Somebody waves$/);
    assert.equal(await all.locator('.tile:first-child .greeting').textContent(), '');
    await shoot(all, 'wave-several');
  });
});

describe('on another site', () => {
  const body = (attributes) => (url) => `<eyelid-camera id="eye" src="${url}/cameras/tank" ${attributes}></eyelid-camera>`;
  /** Notes from now on what the element says of waves. */
  const notes = (page) => page.evaluate(() => {
    window.said = [];
    const note = window.inside('note');
    new MutationObserver(() => { if (note.textContent) window.said.push(note.textContent); }).observe(note, { childList: true });
  });

  embedTest('the element waves to the owner\'s page, is waved to, and says when to wait', { body: body('wave') }, async ({ daemon, visit, come }) => {
    const [page, other] = [await visit(), await visit()];
    const owner = await (await come()).open(`${daemon.url}/cameras/tank/`);
    await Promise.all([more(page), more(other), live(owner)]);
    await Promise.all([notes(page), notes(other), listen(owner)]);
    const before = await page.evaluate(() => JSON.stringify(document.getElementById('eye').getBoundingClientRect()));
    await button(page, 'Wave').click();
    await said(page, /^You waved$/);
    await Promise.all([said(other, /Somebody waves$/), said(owner, /^Somebody waves$/)]);
    const { at } = await told(other, 'wave');
    assert.ok(Number.isInteger(at) && Math.abs(at - Date.now()) < 60_000, `${at}`);
    await other.locator('#eye').screenshot({ path: new URL('screenshots/wave-element.png', import.meta.url).pathname });
    await until(async () => {
      await button(page, 'Wave').click();
      return page.evaluate(() => window.said.some((text) => /^Wait [1-9]\d? s$/.test(text)));
    }, 'the refusal');
    assert.equal(await page.evaluate(() => window.told.some(({ name }) => name === 'wave')), false, 'its own wave');
    await wave(owner).click();
    await said(page, /Somebody waves$/);
    await told(page, 'wave');
    assert.equal(await page.evaluate(() => JSON.stringify(document.getElementById('eye').getBoundingClientRect())), before);
  });

  embedTest('an element without the attribute shows nothing, and tells the page', { body: body(''), cameras: [SHOWN] }, async ({ daemon, visit, come }) => {
    const page = await visit();
    await more(page);
    await notes(page);
    assert.equal(await button(page, 'Wave').count(), 0);
    const owner = await (await come()).open(`${daemon.url}/cameras/tank/`);
    await wave(owner).click();
    await told(page, 'wave');
    assert.deepEqual(await page.evaluate(() => window.said), []);
  });
});
