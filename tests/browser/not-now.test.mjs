// What is on the screen where it is not what the camera sees now: on the page, and in the element on another site.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe } from 'node:test';
import { inState, isLive, live, morePictures, PHONE, shoot, shownIds, start, words } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { ascending, eachWay, noCapture, pageTest, TANK, viewers } from './page.mjs';
import { embedTest, inOrder, more, says } from './site.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'eyelid-recorded-'));
after(() => rmSync(folder, { recursive: true }));

/** When the recorded pictures were taken. */
const TAKEN = Date.UTC(2023, 10, 12, 13, 3) / 1000;
const THEN = /\bNov 12, 2023\b/;

let places = 0;
/** The keys of a camera with a switch and a folder for recorded pictures, and what does something to them. */
function switched(keys = '') {
  const place = path.join(folder, `${places += 1}`);
  return {
    keys: `[camera.offline]\nfolder = "${folder}"\nafter = "1h"\ninterval = "200ms"\n${keys}[camera.privacy]\nswitch = "${place}"\n`,
    off: () => writeFileSync(place, ''),
    on: () => rmSync(place, { force: true }),
  };
}

/** Keeps pictures of a camera as recorded ones. */
async function record(url, count = 3) {
  for (let i = 0; i < count; i += 1) {
    const answer = await fetch(`${url}/snapshot.jpg`);
    const file = path.join(folder, `${i}.jpg`);
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    utimesSync(file, TAKEN, TAKEN);
  }
}

const label = (page) => page.locator('.note').innerText();
const labelled = (page, text) => page.waitForFunction((wanted) => document.querySelector('.note')?.innerText.includes(wanted), text);

describe('the page', () => {
  const offline = switched();
  eachWay('shows recorded pictures of a camera that is switched off, and says when they were taken', TANK + offline.keys, async ({ daemon, live: comes, visit }) => {
    offline.on();
    const page = await visit();
    await start(page);
    await comes(page);
    await record(daemon.url);
    offline.off();
    await inState(page, 'recorded');
    await morePictures(page);
    await noCapture(daemon);
    assert.match(await words(page), /^Recorded\s/);
    assert.match(await words(page), THEN);
    assert.match(await words(page), /Switched off by/);
    assert.match(await label(page), /^Recorded .*Nov 12, 2023/);
    assert.match(await page.locator('.age').innerText(), /^Switched off by/);
    assert.equal(await isLive(page), false);
    assert.equal(await page.title(), 'Aquarium');
    await shoot(page, 'recorded');
    const phone = await visit('/', { options: PHONE });
    await inState(phone, 'recorded');
    await shoot(phone, 'phone-recorded');
    await phone.close();
    offline.on();
    await comes(page);
    await morePictures(page);
    await page.waitForFunction(() => document.querySelector('.camera.is-live .note')?.textContent === '');
    assert.ok(ascending(await shownIds(page)));
  });

  const secret = switched('announce = false\n');
  pageTest('says nothing of recorded pictures that nobody is to know of', TANK + secret.keys, async ({ daemon, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await record(daemon.url);
    secret.off();
    await noCapture(daemon);
    await morePictures(page, 10);
    assert.doesNotMatch(await words(page), /Recorded/);
    assert.equal(await page.locator('.note:visible').count(), 0);
    assert.equal((await daemon.state('tank')).recorded, null);
  });

  const quiet = (hours) => `${TANK}[camera.privacy]\nquiet = ${JSON.stringify(hours)}\n`;
  pageTest('says why a camera may not run, and shows it as soon as it may', quiet(['00:00-24:00']), async ({ daemon, visit }) => {
    const page = await visit();
    await inState(page, 'off');
    await start(page);
    await inState(page, 'blocked');
    assert.match(await words(page), /^Off\s+Quiet hours all day long\.$/);
    assert.equal(await isLive(page), false);
    assert.deepEqual(daemon.captures(), []);
    await shoot(page, 'blocked');
    const phone = await visit('/', { options: PHONE });
    await inState(phone, 'blocked');
    await shoot(phone, 'phone-blocked');
    await phone.close();
    daemon.configure(quiet([]));
    await live(page);
  });

  pageTest('says that pictures are shown later', `${TANK}[camera.privacy]\ndelay = "1s"\n`, async ({ visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    await labelled(page, 'Shown 1 s later');
    await morePictures(page);
    assert.equal(await isLive(page), true);
    await shoot(page, 'delayed');
    const phone = await visit('/', { options: PHONE });
    await live(phone);
    await shoot(phone, 'phone-delayed');
  });

  const gone = camera({ name: 'tank', title: 'Aquarium', kind: 'command', command: 'echo no camera >&2; exit 1' });
  pageTest('shows recorded pictures of a camera that fails, and says why', `${gone}[camera.offline]\nfolder = "${folder}"\nafter = "0s"\n`, async ({ daemon, visit }) => {
    const page = await visit();
    await start(page);
    await inState(page, 'recorded');
    await until(async () => /No camera|ended/i.test(await words(page)), 'the reason');
    await shoot(page, 'gone');
    await viewers(daemon, 1);
    await page.close();
    await viewers(daemon, 0);
    await noCapture(daemon);
  });
});

describe('the element', () => {
  const one = (url) => `<eyelid-camera id="eye" src="${url}/cameras/tank"></eyelid-camera>`;
  const keys = { name: 'tank', title: 'Aquarium' };

  const offline = switched();
  embedTest('shows recorded pictures, says when they were taken, and is live again after them', { body: one, more: offline.keys }, async ({ daemon, visit }) => {
    const page = await visit();
    await more(page);
    await record(daemon.url);
    offline.off();
    await says(page, /^Recorded, .*Nov 12, 2023/);
    await more(page);
    await noCapture(daemon);
    assert.equal(await page.evaluate(() => window.told.findLast(({ name }) => name === 'picture').detail.recorded), true);
    await shoot(page, 'embed-recorded');
    offline.on();
    await says(page, /^$/);
    await more(page);
    await inOrder(page);
  });

  const off = switched('announce = false\n');
  embedTest('says that the camera rests where there is nothing to see', { body: one, cameras: [keys], more: off.keys.replace(/folder = .*/, 'remember = "1s"') }, async ({ visit }) => {
    off.off();
    const page = await visit();
    await says(page, /^The camera rests$/);
    await shoot(page, 'embed-blocked');
    off.on();
    await more(page);
    await says(page, /^$/);
  });

  embedTest('says how late pictures are', { body: one, more: '[camera.privacy]\ndelay = "1s"\n' }, async ({ visit }) => {
    const page = await visit();
    await more(page);
    await says(page, /^1 s ago$/);
  });
});
