// The page in a real browser against the real daemon; failures.test.mjs has what it does when something fails.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inState, isLive, live, morePictures, PHONE, shoot, shownIds, start, stop, words } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { ascending, by, eachWay, gone, idle, noCapture, pageTest, TANK, viewers } from './page.mjs';
import { stale } from './vendor.mjs';

/** The camera, for so long on after the last viewer: on a busy machine a page takes its time to come back. */
const lingering = (linger) => camera({ name: 'tank', title: 'Aquarium', linger });

describe('watching', () => {
  eachWay('nothing runs before the click; then pictures come, each newer than the one before', TANK, async ({ daemon, live, visit }) => {
    const page = await visit();
    await inState(page, 'off');
    assert.deepEqual(daemon.captures(), []);
    await shoot(page, 'off');
    await start(page);
    await live(page);
    await morePictures(page, 10);
    const ids = await shownIds(page);
    assert.ok(ascending(ids), ids.join());
    assert.equal(daemon.captures().length, 1);
    assert.equal(await page.title(), '● Aquarium');
    await page.waitForFunction(() => /^\d+(\.\d)? fps\d+ ms delay1 viewer$/.test(document.querySelector('.numbers').textContent.replace(/\s+(?=\d)/g, '').trim()));
    await shoot(page, 'live');
  });

  eachWay('a double click starts once', TANK, async ({ daemon, live, visit }) => {
    const page = await visit();
    await page.getByRole('button', { name: 'Start Camera' }).dblclick();
    await live(page);
    assert.equal(daemon.captures().length, 1);
    assert.equal((await daemon.state('tank')).viewers, 1);
  });

  eachWay('a second browser joins without a click; stopping is for oneself', TANK, async ({ daemon, live, visit }) => {
    const first = await visit();
    await start(first);
    await live(first);
    const capture = await daemon.capture();
    const second = await visit();
    await live(second);
    await viewers(daemon, 2);
    assert.deepEqual(daemon.captures(), [capture]);
    await stop(second);
    await inState(second, 'stopped');
    assert.match(await words(second), /Somebody else is still watching/);
    await viewers(daemon, 1);
    const count = (await shownIds(second)).length;
    await morePictures(first);
    assert.equal((await shownIds(second)).length, count);
    await shoot(second, 'stopped');
    await start(second);
    await live(second);
    assert.deepEqual(daemon.captures(), [capture]);
  });

  eachWay('a reload inside the linger keeps the capture; closing the page ends it', lingering('8s'), async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    const capture = await daemon.capture();
    for (let i = 0; i < 3; i += 1) {
      await page.reload();
      await live(page);
    }
    assert.deepEqual(daemon.captures(), [capture]);
    await page.close();
    await noCapture(daemon);
    await idle(daemon);
    await gone(capture);
  });

  eachWay('stop by the last one closes the camera', TANK, async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await stop(page);
    await noCapture(daemon);
    await inState(page, 'off');
    await page.waitForFunction(() => !document.querySelector('canvas').dataset.id);
    assert.equal(await page.title(), 'Aquarium');
  });

  eachWay('a camera with a picture each minute shows the newest at once to who joins', camera({ name: 'tank', interval: '60s' }), async ({ live, visit }) => {
    const first = await visit();
    await start(first);
    await live(first);
    const second = await visit();
    await live(second);
    assert.deepEqual(await shownIds(second), (await shownIds(first)).slice(-1));
  });
});

describe('a page that nobody sees', () => {
  eachWay('opts out after a while and comes back by itself', TANK, async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await page.evaluate(() => window.setHidden(true));
    assert.equal(await isLive(page), false);
    await noCapture(daemon);
    await page.evaluate(() => window.setHidden(false));
    await live(page);
    assert.equal(daemon.captures().length, 1);
  });

  eachWay('loaded in the background, it is no viewer until it is seen', TANK, async ({ daemon, live, visit }) => {
    const first = await visit();
    await start(first);
    await live(first);
    const second = await visit('/', { options: { hidden: true } });
    await second.waitForFunction(() => document.querySelector('.camera')?.dataset.state !== 'connecting');
    assert.equal((await daemon.state('tank')).viewers, 1);
    await second.evaluate(() => window.setHidden(false));
    await live(second);
    await viewers(daemon, 2);
  });

  // A page that the browser has not kept comes back only as long as the camera lingers.
  eachWay('left or frozen, it is gone at once', lingering('1m'), async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await page.evaluate(() => document.dispatchEvent(new Event('freeze')));
    await viewers(daemon, 0);
    await page.evaluate(() => document.dispatchEvent(new Event('resume')));
    await live(page);
    await page.goto('about:blank');
    await viewers(daemon, 0);
    await page.goBack();
    await live(page);
  });
});

describe('for everybody', () => {
  pageTest('by keyboard alone: start, save, full screen, stop', TANK, async ({ visit }) => {
    const page = await visit();
    await inState(page, 'off');
    const focused = () => page.evaluate(() => document.activeElement.dataset.part);
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'start');
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle), 'none');
    await page.keyboard.press('Enter');
    await live(page);
    assert.equal(await focused(), 'stop');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'wave');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'save');
    for (const key of ['Space', 's']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press(key)]);
      assert.match(download.suggestedFilename(), /^aquarium-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.jpg$/);
      const file = readFileSync(await download.path());
      assert.deepEqual([file.readUInt16BE(0), file.readUInt16BE(file.length - 2)], [0xffd8, 0xffd9]);
    }
    await page.getByRole('button', { name: 'Adjust' }).waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'adjust');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'full');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.fullscreenElement?.matches('.camera.immersive'));
    await shoot(page, 'full-screen');
    await page.keyboard.press('f');
    await page.waitForFunction(() => !document.fullscreenElement);
    for (let back = 0; back < 4; back += 1) await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(), 'stop');
    await page.keyboard.press('Space');
    await page.waitForSelector('[data-part="start"]:not([hidden])');
    assert.equal(await focused(), 'start');
  });

  pageTest('what is read aloud is silent while all goes well', TANK, async ({ visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await page.evaluate(() => {
      window.said = [];
      const hear = (changes) => window.said.push(...changes.map(({ target }) => target.textContent));
      for (const region of document.querySelectorAll('[aria-live], [role="status"]')) {
        new MutationObserver(hear).observe(region, { subtree: true, childList: true, characterData: true, attributes: true });
      }
    });
    // On a busy machine it may be late for a moment, which is said: then once more.
    let all;
    do {
      await live(page);
      await page.evaluate(() => Object.assign(window, { said: [], wentWell: window.states.length }));
      await morePictures(page, 15);
      all = await page.evaluate(() => ({ said: window.said, wentWell: window.states.length === window.wentWell }));
    } while (!all.wentWell);
    assert.deepEqual(all.said, []);
  });

  for (const [name, viewport] of [['phone', PHONE.viewport], ['small-phone', { width: 360, height: 640 }], ['phone-sideways', { width: 844, height: 390 }]]) {
    pageTest(`on a ${name}: nothing is cut off, and a thumb meets the buttons`, TANK, async ({ visit }) => {
      const page = await visit('/', { options: { ...PHONE, viewport } });
      const fits = async () => {
        const { width, height } = viewport;
        assert.deepEqual(await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]), [width, height]);
        for (const button of await page.locator('button:visible').all()) {
          const box = await button.boundingBox();
          assert.ok(box.width >= 44 && box.height >= 44, `${await button.innerText()} ${JSON.stringify(box)}`);
          assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, JSON.stringify(box));
        }
      };
      await inState(page, 'off');
      await fits();
      await shoot(page, `${name}-off`);
      await page.getByRole('button', { name: 'Start Camera' }).tap();
      await live(page);
      await morePictures(page, 10);
      await fits();
      await shoot(page, `${name}-live`);
    });
  }

  pageTest('without JavaScript it says what is missing', TANK, async ({ visit }) => {
    const page = await visit('/', { options: { javaScriptEnabled: false } });
    assert.match(await page.locator('noscript').innerText(), /needs JavaScript/);
  });

  pageTest('the content security policy allows this host alone', TANK, async ({ daemon }) => {
    const policy = (await fetch(daemon.url)).headers.get('content-security-policy');
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
  });
});

describe('several cameras', () => {
  const TWO = TANK + camera({ name: 'door', title: 'Front door' });

  pageTest('are there to choose from, and looking at the choice starts none', TWO, async ({ daemon, visit }) => {
    const grid = await visit();
    await grid.waitForSelector('.tile');
    assert.deepEqual(await grid.locator('.tile strong').allInnerTexts(), ['Aquarium', 'Front door']);
    const page = await visit('/cameras/door/');
    await start(page);
    await live(page);
    await grid.waitForSelector('.tile.is-live:nth-child(2)');
    await grid.waitForSelector('.top.is-live');
    assert.equal(await grid.evaluate(() => {
      const { right } = document.querySelector('.tile .now').getBoundingClientRect();
      return right - document.querySelector('.tile [data-part="words"]').getBoundingClientRect().right;
    }), 0, 'what is said of a camera that is off ends flush with its tile');
    await grid.waitForFunction(() => /1 viewer$/.test(document.querySelectorAll('.tile')[1].innerText.trim()));
    assert.equal(daemon.captures().length, 1);
    assert.equal((await daemon.state('tank')).state, 'idle');
    await shoot(grid, 'grid');
    await grid.setViewportSize(PHONE.viewport);
    await shoot(grid, 'phone-grid');
    await grid.getByRole('link', { name: 'Aquarium' }).click();
    await grid.waitForURL('**/cameras/tank/');
    await inState(grid, 'off');
    await start(grid);
    await live(grid);
    assert.equal(daemon.captures().length, 2);
    await grid.getByRole('link', { name: 'All cameras' }).click();
    await grid.waitForSelector('.tile.is-live:nth-child(2)');
    await idle(daemon, 'tank');
    await daemon.capture();
  });

  pageTest('one that is taken out of the configuration is said to be gone', TWO, async ({ daemon, visit }) => {
    // A picture that was announced just before may be asked for just after.
    const page = await visit('/cameras/door/', { expected: /404 .*\/image_stream\.jpg/ });
    await start(page);
    await live(page);
    daemon.configure(TANK);
    await inState(page, 'gone');
    assert.match(await words(page), /No such camera/);
    await until(async () => await page.locator('button:visible').count() === 0, 'no buttons');
    await noCapture(daemon);
    daemon.configure(TWO);
    await live(page);
    await page.getByRole('button', { name: 'Adjust', exact: true }).waitFor();
  });

  pageTest('open pages follow which there are, and start none', TANK, async ({ daemon, visit }) => {
    const page = await visit('/cameras/tank/');
    await inState(page, 'off');
    daemon.configure(TWO);
    await until(async () => (await daemon.state('door')).state === 'idle', 'a second camera');
    assert.equal(await page.getByRole('link', { name: 'All cameras' }).count(), 0);
    const seen = () => page.evaluate(() => { window.setHidden(true); window.setHidden(false); });
    await seen();
    await page.getByRole('link', { name: 'All cameras' }).click();
    const names = (...wanted) => until(async () => (await page.locator('.tile strong').allInnerTexts()).join() === wanted.join(), `tiles of ${wanted}`);
    await names('Aquarium', 'Front door');
    await page.evaluate(() => {
      window.said = '';
      new MutationObserver(() => { window.said += document.querySelector('.tiles').innerText; })
        .observe(document, { subtree: true, childList: true, characterData: true });
    });
    daemon.configure(TANK);
    await names('Aquarium');
    assert.doesNotMatch(await page.evaluate(() => window.said), /Connection lost/);
    daemon.configure(camera({ name: 'gate', title: 'Gate' }) + TWO);
    await until(async () => (await daemon.state('gate')).state === 'idle', 'a third camera');
    await seen();
    await names('Gate', 'Aquarium', 'Front door');
    assert.deepEqual(daemon.captures(), []);
    const door = await visit('/cameras/door/');
    await start(door);
    await page.waitForSelector('.tile.is-live:nth-child(3)');
    assert.equal(daemon.captures().length, 1);
  });
});

describe('controls', () => {
  const adjust = (page) => page.getByRole('button', { name: 'Adjust', exact: true });
  const slider = (page, name = 'Brightness') => page.getByRole('slider', { name });
  const told = async (daemon) => {
    const { controls } = await (await fetch(`${daemon.url}/api/cameras/tank/controls`)).json();
    return Object.fromEntries(controls.map(({ id, value }) => [id, value]));
  };
  const set = (daemon, what, wanted) => until(async () => {
    const values = await told(daemon);
    return Object.entries(wanted).every(([id, value]) => values[id] === value);
  }, `${what}: ${JSON.stringify(wanted)}`);
  const light = (page) => page.evaluate(async () => {
    const picture = await createImageBitmap(document.querySelector('canvas'));
    const canvas = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
    canvas.drawImage(picture, 0, 0);
    const { data } = canvas.getImageData(0, 0, picture.width, picture.height);
    return data.reduce((sum, level) => sum + level, 0) / data.length;
  });

  pageTest('a slider is seen in the picture and on the page of somebody else, and so is its way back', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    await inState(page, 'off');
    assert.equal(await adjust(page).isVisible(), false, 'nobody knows yet what the camera offers');
    await start(page);
    await live(page);
    const other = await visit('/', { options: PHONE });
    await live(other);
    await adjust(other).click();
    await adjust(page).click();
    const before = await light(page);
    await slider(page).fill('100');
    await until(async () => (await light(page)) > before + 40, 'a brighter picture');
    await set(daemon, 'the slider', { brightness: 100 });
    await until(async () => (await slider(other).inputValue()) === '100', 'the other page shows it');
    await shoot(page, 'adjust-desktop');
    await shoot(other, 'adjust-phone');
    assert.equal(await page.getByRole('button', { name: 'Reset Saturation' }).isVisible(), false);
    await other.getByRole('button', { name: 'Reset Brightness' }).click();
    await set(daemon, 'the default', { brightness: 0 });
    await until(async () => (await slider(page).inputValue()) === '0', 'the first page shows the default');
    await until(async () => Math.abs((await light(page)) - before) < 20, 'the picture as it was');
  });

  pageTest('a slider that is dragged does not ask too often, and ends where it was left', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    let asked = 0;
    page.on('request', (request) => { asked += request.method() === 'PATCH' ? 1 : 0; });
    await start(page);
    await live(page);
    await adjust(page).click();
    const { x, y, width, height } = await slider(page).boundingBox();
    const began = Date.now();
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    for (let step = 1; step <= 60; step += 1) await page.mouse.move(x + width / 2 + step, y + height / 2);
    await page.mouse.up();
    const end = Number(await slider(page).inputValue());
    assert.ok(end > 10, `${end}`);
    await set(daemon, 'the last value', { brightness: end });
    const most = 2 + (Date.now() - began) / 200;
    assert.ok(asked >= 1 && asked <= most, `${asked} requests, ${most} at most`);
  });

  pageTest('all of it works by keyboard', TANK, async ({ daemon, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await adjust(page).focus();
    assert.equal(await adjust(page).getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('Enter');
    assert.equal(await adjust(page).getAttribute('aria-expanded'), 'true');
    await slider(page).focus();
    for (let step = 0; step < 3; step += 1) await page.keyboard.press('ArrowRight');
    await set(daemon, 'arrow keys', { brightness: 3 });
    const toggle = page.getByRole('switch', { name: 'Negative' });
    await toggle.focus();
    await page.keyboard.press('Space');
    await set(daemon, 'a switch', { negative: true });
    await page.getByRole('combobox', { name: 'White balance' }).focus();
    await page.keyboard.press('w');
    await set(daemon, 'a choice', { white_balance: 'warm' });
    assert.equal(await page.locator('.toast').innerText(), '', 'no letter saves a picture while one chooses');
    await page.getByRole('button', { name: 'Blink' }).press('Enter');
    await page.getByRole('button', { name: 'Reset all' }).press('Enter');
    await set(daemon, 'all defaults', { brightness: 0, negative: false, white_balance: 'neutral' });
    await page.getByRole('button', { name: 'Reset all' }).waitFor({ state: 'hidden' });
    assert.equal(await toggle.isChecked(), false);
    await page.keyboard.press('Escape');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.part), 'adjust');
    assert.equal(await slider(page).isVisible(), false);
  });

  pageTest('what can’t be set is told beside it, with its limits', TANK, async ({ daemon, visit }) => {
    const page = await visit('/', { expected: /422|ERR_/ });
    await start(page);
    await live(page);
    await adjust(page).click();
    const exact = page.getByRole('spinbutton', { name: 'Saturation, exact value' });
    await exact.fill('300');
    await exact.press('Enter');
    const row = page.locator('.row', { has: exact });
    await row.getByText('saturation can\'t be 300. It takes a number from 0 to 2.').waitFor();
    assert.equal(await page.locator('.row .problem:not(:empty)').count(), 1);
    await exact.fill('1.5');
    await exact.press('Enter');
    await set(daemon, 'a number that fits', { saturation: 1.5 });
    await row.locator('.problem').waitFor({ state: 'hidden' });
    await page.route('**/controls', (route) => route.abort());
    await slider(page).fill('50');
    await page.getByText('The server does not answer, so nothing was set.').waitFor();
    await until(async () => (await slider(page).inputValue()) === '0', 'the slider is where the camera is');
  });

  pageTest('the picture stays in sight beside the panel, on a phone and on a desk', TANK, async ({ visit }) => {
    const first = await visit();
    await start(first);
    for (const options of [PHONE, { viewport: { width: 320, height: 568 } }, { viewport: { width: 1280, height: 800 } }]) {
      const page = await visit('/', { options });
      await live(page);
      await adjust(page).click();
      await until(() => page.evaluate(() => {
        const box = (selector) => document.querySelector(selector).getBoundingClientRect();
        const [picture, panel] = [box('.stage'), box('.panel')];
        const apart = picture.right <= panel.left || picture.bottom <= panel.top;
        const inside = picture.top >= 0 && picture.bottom <= innerHeight && panel.right <= innerWidth && panel.bottom <= innerHeight;
        return apart && inside && panel.height > 100 && document.documentElement.scrollWidth <= innerWidth;
      }), `both in sight at ${options.viewport.width}x${options.viewport.height}`);
    }
  });

  pageTest('a camera that offers nothing has no panel', camera({ name: 'tank', kind: 'command', command: 'exec sleep 1000' }), async ({ daemon, visit }) => {
    const page = await visit();
    await start(page);
    await until(async () => (await (await fetch(`${daemon.url}/api/cameras/tank/controls`)).json()).known, 'known controls');
    await inState(page, 'starting');
    assert.equal(await adjust(page).isVisible(), false);
  });
});

describe('the page of the old program', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'eyelid-old-page-'));
  after(() => rmSync(folder, { recursive: true }));
  copyFileSync(fileURLToPath(new URL('../../node_modules/jquery/dist/jquery.min.js', import.meta.url)), path.join(folder, 'jquery.js'));
  writeFileSync(path.join(folder, 'index.html'), `<!doctype html><title>Camera</title>
    <button id="start">Start Camera</button><img id="stream" alt="">
    <script src="/socket.io/socket.io.js"></script><script src="jquery.js"></script><script src="old.js"></script>`);
  writeFileSync(path.join(folder, 'old.js'), `$(function () {
    var socket = io();
    socket.on('liveStream', function (url) { $('#stream').attr('src', url); });
    $('#start').click(function () { socket.emit('start-stream'); $('#start').hide(); });
  });`);

  pageTest('works unchanged', TANK, async ({ daemon, visit }) => {
    const page = await visit('/', { expected: /favicon/ });
    await page.click('#start');
    const source = () => page.evaluate(() => {
      const image = document.getElementById('stream');
      return image.complete && image.naturalWidth === 640 && image.getAttribute('src');
    });
    const first = await until(source, 'a picture');
    assert.match(first, /^image_stream\.jpg\?_t=\d+$/);
    await until(async () => ![first, false].includes(await source()), 'another picture');
    await page.close();
    await noCapture(daemon);
  }, '--public', folder);
});

test('the vendored Socket.IO client is the one of package-lock.json', () => {
  assert.deepEqual(stale(), []);
});
