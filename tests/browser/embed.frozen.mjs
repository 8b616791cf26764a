// Cameras on pages of other sites, by the element of embed.js: a real browser, the real daemon, and a site of another origin.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { isFresh } from '../../embed/build.mjs';
import { until } from './daemon.mjs';
import { idle, NETWORK, noCapture, viewers } from './page.mjs';
import { button, embedTest, inOrder, more, says, TANK, told } from './site.mjs';

const one = (attributes = '') => (url) => `<eyelid-camera id="eye" src="${url}/cameras/tank" ${attributes}></eyelid-camera>`;
const DESK = { name: 'desk' };
const far = '<div style="height: 4000px"></div>';
const off = async (daemon) => {
  await idle(daemon);
  await noCapture(daemon);
};
/** The sockets of a page that are open. */
const open = (page) => page.sockets.filter((socket) => !socket.isClosed()).length;
const opacity = (page) => page.evaluate(() => Number(getComputedStyle(window.inside('stage')).opacity));
const scrollTo = (page, top) => page.evaluate((to) => window.scrollTo({ top: to, behavior: 'instant' }), top);
/** Animations of the two canvases of the element. */
const fades = (page) => page.evaluate(() => [...window.inside('picture').children].flatMap((canvas) => canvas.getAnimations()).map((fade) => fade.effect.getTiming().duration));

test('the file that is served is made of what is in the folder embed', async () => {
  assert.equal(await isFresh(), true, 'run node embed/build.mjs --update');
});

describe('a page of another site', () => {
  embedTest('shows the camera, newer pictures only, and tells what it does', { body: one() }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page, 10);
    await inOrder(page);
    await viewers(daemon, 1);
    assert.equal(open(page), 1);
    const seen = new Set();
    const shot = async () => seen.add((await page.locator('#eye').screenshot()).toString('base64')).size >= 3;
    await until(shot, 'three different pictures');
    const state = await told(page, 'state');
    assert.equal(state.camera, 'tank');
    assert.deepEqual(await page.evaluate(() => {
      const { width, height } = window.told.find(({ name }) => name === 'picture').detail;
      return [width, height, window.inside('picture').getAttribute('aria-label'), window.inside('label').textContent];
    }), [640, 360, 'Aquarium', '']);
    await page.close();
    await off(daemon);
  });

  embedTest('has the first camera at the root, and each with or without the last slash', {
    cameras: [TANK, DESK],
    body: (url) => `<eyelid-camera id="eye" src="${url}"></eyelid-camera><eyelid-camera id="desk" src="${url}/cameras/desk/"></eyelid-camera>`,
  }, async ({ daemon, visit }) => {
    const page = await visit();
    await Promise.all([more(page), more(page, 3, 'desk')]);
    const cameras = await page.evaluate(() => ['eye', 'desk'].map((id) => document.getElementById(id).state.camera));
    assert.deepEqual(cameras, ['tank', 'desk']);
    // Another address on the way: the old camera rests.
    await page.evaluate(() => { document.getElementById('eye').src = ''; document.getElementById('eye').setAttribute('src', document.getElementById('desk').getAttribute('src')); });
    await page.waitForFunction(() => document.getElementById('eye').state?.camera === 'desk');
    await more(page);
    await idle(daemon, 'tank');
  });

  embedTest('at a port of the same name does so too', { body: one(), host: '127.0.0.1' }, async ({ visit }) => {
    await more(await visit());
  });

  embedTest('that is not let in is told so, and starts nothing', { body: one(), lets: [], expected: /./ }, async ({ daemon, visit, other, configure }) => {
    const page = await visit();
    await says(page, /may not show this camera/);
    const { reason, message } = await told(page, 'error');
    assert.equal(reason, 'refused');
    assert.ok(message.startsWith(other.url), message);
    assert.equal((await daemon.state('tank')).state, 'idle');
    assert.ok(!daemon.log.some((line) => /a viewer came/.test(line)), daemon.log.join('\n'));
    // It tries again by itself, so that nobody has to reload.
    configure([TANK]);
    await more(page);
    await says(page, /^$/);
  });

  embedTest('that is let in to another camera only is told so by this one', { cameras: [DESK, TANK], lets: [DESK], body: one() }, async ({ daemon, visit, other }) => {
    const page = await visit();
    await says(page, /may not show the camera tank/);
    const { reason, message } = await told(page, 'error');
    assert.equal(reason, 'refused');
    assert.ok(message.startsWith(other.url), message);
    assert.equal((await daemon.state('tank')).viewers, 0);
  });

  embedTest('without an address says so', { body: () => '<eyelid-camera id="eye"></eyelid-camera>' }, async ({ visit }) => {
    const page = await visit();
    await says(page, /src has to be its address/);
    assert.equal((await told(page, 'error')).reason, 'src');
    assert.equal(open(page), 0);
  });

  embedTest('comes back when the daemon does', { body: one(), expected: NETWORK }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await daemon.kill();
    await says(page, /lost|reached/);
    await daemon.start();
    await more(page);
    await says(page, /^$/);
    await viewers(daemon, 1);
  });
});

describe('the camera rests', () => {
  embedTest('while the element is out of sight, if it is told to', { body: (url) => one('pause-offscreen')(url) + far }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await scrollTo(page, 3000);
    await off(daemon);
    assert.equal(open(page), 0);
    await scrollTo(page, 0);
    await more(page);
  });

  embedTest('while the page is hidden', { body: one() }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await page.evaluate(() => window.setHidden(true));
    await off(daemon);
    await page.evaluate(() => window.setHidden(false));
    await more(page);
    await inOrder(page);
  });

  embedTest('after the button was pressed, until it is pressed again', { body: one() }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await button(page, 'Pause').click();
    await off(daemon);
    await says(page, /^Paused$/);
    await page.keyboard.press('Enter');
    await more(page);
    await says(page, /^$/);
    await button(page, 'Pause').waitFor();
    assert.deepEqual(await page.evaluate(() => window.told.map(({ name }) => name).filter((name) => /^(play|pause)$/.test(name))), ['pause', 'play']);
  });

  embedTest('until the visitor wants it, with the attribute paused', { body: one('paused') }, async ({ daemon, visit }) => {
    const page = await visit();
    await says(page, /Press play/);
    assert.equal(open(page), 0);
    assert.ok(!daemon.log.some((line) => /a viewer came/.test(line)));
    await button(page, 'Play').click();
    await more(page);
    await page.evaluate(() => document.getElementById('eye').pause());
    await off(daemon);
  });

  embedTest('when the element is taken out, and does not notice when it is moved', {
    body: (url) => `${one()(url)}<main id="elsewhere"></main>`,
    before: () => {
      window.signals = [];
      const add = EventTarget.prototype.addEventListener;
      EventTarget.prototype.addEventListener = function listen(event, action, options) {
        if (options?.signal) window.signals.push(options.signal);
        return add.call(this, event, action, options);
      };
    },
  }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await page.evaluate(() => document.getElementById('elsewhere').append(document.getElementById('eye')));
    await more(page);
    assert.equal(page.sockets.length, 1);
    assert.equal(await page.evaluate(() => window.signals.length > 0 && window.signals.some(({ aborted }) => aborted)), false);
    await page.evaluate(() => { window.taken = document.getElementById('eye'); window.taken.remove(); });
    await off(daemon);
    assert.equal(await page.evaluate(() => window.signals.every(({ aborted }) => aborted)), true, 'nobody listens to the page any more');
    assert.equal(open(page), 0);
    await page.evaluate(() => document.body.append(window.taken));
    await more(page);
    assert.equal(page.sockets.length, 2);
  });
});

describe('visitors who want less', () => {
  embedTest('of motion get one picture, and more on request, without fading', { body: one('fade'), cameras: [{ ...TANK, interval: '500ms' }], come: { reducedMotion: 'reduce' } }, async ({ daemon, visit }) => {
    const page = await visit();
    await says(page, /^Picture of /);
    await off(daemon);
    assert.deepEqual([open(page), (await page.evaluate(() => window.pictures())).length], [0, 1]);
    await button(page, 'Play').click();
    await more(page, 4);
    assert.deepEqual(await fades(page), []);
  });

  embedTest('of data get one picture, no larger than they see it', {
    body: (url) => `<div style="width: 300px">${one()(url)}</div>`,
    before: () => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }),
  }, async ({ daemon, visit }) => {
    const page = await visit();
    await says(page, /^Picture of /);
    assert.deepEqual(await page.evaluate(() => window.told.find(({ name }) => name === 'picture').detail.width), 320);
    await off(daemon);
  });

  embedTest('pictures than there are get so many', { body: one('max-fps="2"') }, async ({ visit }) => {
    const page = await visit();
    await more(page, 6);
    const times = await page.evaluate(() => window.told.filter(({ name }) => name === 'picture').map(({ at }) => at));
    const gaps = times.slice(1).map((at, i) => at - times[i]);
    // Browsers round their clocks.
    assert.ok(gaps.every((gap) => gap >= 499), gaps.join());
  });
});

describe('while the camera may not run', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'eyelid-switch-'));
  after(() => rmSync(folder, { recursive: true }));
  const off = path.join(folder, 'off');
  const RECORDS = { ...TANK, linger: '0s', 'offline.remember': '30s', 'offline.after': '0s', 'offline.interval': '100ms', 'privacy.switch': off };

  embedTest('recorded pictures are shown, and called so', { body: one(), cameras: [RECORDS] }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page, 10);
    writeFileSync(off, '');
    await says(page, /^Recorded, .*\d/);
    await noCapture(daemon);
    const before = (await page.evaluate(() => window.told.length));
    await more(page, 5);
    await inOrder(page);
    assert.ok((await page.evaluate((from) => window.told.slice(from).filter(({ name }) => name === 'picture').map(({ detail }) => detail.recorded), before)).every(Boolean));
    assert.equal(await page.evaluate(() => window.inside('picture').part.contains('live')), false);
    await viewers(daemon, 1);
    rmSync(off);
    // Until the camera has woken up there may be recorded pictures for a moment more.
    await page.waitForFunction(() => {
      const { recorded } = window.told.findLast(({ name }) => name === 'picture').detail;
      return !recorded && window.inside('label').textContent === '' && window.inside('picture').part.contains('live');
    });
    await more(page);
  });

  embedTest('it says so where there is nothing to show', { body: one(), cameras: [{ ...TANK, 'privacy.switch': off }] }, async ({ daemon, visit }) => {
    writeFileSync(off, '');
    await until(async () => (await daemon.state('tank')).blocked, 'a camera that may not run');
    const page = await visit();
    await says(page, /^The camera rests$/);
    assert.deepEqual(daemon.captures(), []);
    rmSync(off);
    await more(page);
    await says(page, /^$/);
  });
});

describe('the element', () => {
  embedTest('fades pictures into each other, for less than their interval', { body: one('fade="5s"'), cameras: [{ ...TANK, interval: '500ms' }] }, async ({ visit }) => {
    const page = await visit();
    await more(page);
    const fade = await page.waitForFunction(() => [...window.inside('picture').children].flatMap((canvas) => canvas.getAnimations())[0]?.effect.getTiming().duration);
    assert.equal(await fade.jsonValue(), 400);
    await more(page);
    await inOrder(page);
  });

  embedTest('fades out as it is scrolled out', { body: (url) => one('fade-on-scroll pause-offscreen')(url) + far }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    assert.equal(await opacity(page), 1);
    const height = await page.evaluate(() => document.getElementById('eye').offsetHeight);
    await scrollTo(page, height / 2);
    await page.waitForFunction(() => { const now = Number(getComputedStyle(window.inside('stage')).opacity); return now > .3 && now < .7; });
    await more(page);
    await scrollTo(page, 2 * height);
    await off(daemon);
  });

  embedTest('is a background that takes no pointer, with buttons before all', {
    // In front of the page, so that it would take the pointer.
    body: (url) => `<style>eyelid-camera { --eyelid-layer: 1 } main { position: relative; min-height: 100vh; background: #fff8 } body { margin: 0 }</style>
      ${one('background fade-on-scroll pause-offscreen grayscale')(url)}<main><a id="link" href="#there" style="position: absolute; inset: 0">A link over all</a></main>${far}`,
  }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    assert.deepEqual(await page.evaluate(() => {
      const { x, y, width, height } = window.inside('stage').getBoundingClientRect();
      return [x, y, width === document.documentElement.clientWidth, height === innerHeight, getComputedStyle(window.inside('picture')).filter, window.inside('picture').ariaHidden];
    }), [0, 0, true, true, 'grayscale(1)', 'true']);
    assert.equal(await page.evaluate(() => document.elementFromPoint(innerWidth / 2, innerHeight / 2).id), 'link');
    await page.mouse.click(300, 300);
    await page.waitForFunction(() => location.hash === '#there');
    await button(page, 'Pause').click();
    await off(daemon);
    await button(page, 'Play').click();
    await more(page);
    // It is always in the window, and yet not seen any more.
    await scrollTo(page, 2000);
    await off(daemon);
    assert.equal(await opacity(page), 0);
  });

  embedTest('fills a box of the page as its background', {
    body: (url) => `<div id="box" style="position: relative; isolation: isolate; width: 500px; height: 200px">${one('background="container"')(url)}<p>Words</p></div>`,
  }, async ({ visit }) => {
    const page = await visit();
    await more(page);
    const same = await page.evaluate(() => {
      const [a, b] = [window.inside('stage'), document.getElementById('box')].map((element) => element.getBoundingClientRect());
      return [a.x - b.x, a.y - b.y, a.width - b.width, a.height - b.height];
    });
    assert.deepEqual(same, [0, 0, 0, 0]);
  });
});
