// Guests: a link in another browser, what they see, and how it ends.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { button, choosePassword, link, owner, PRIVATE, says, stranger } from './access.mjs';
import { DESKTOP, inState, live, morePictures, PHONE, shoot, start } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { noCapture, pageTest, TANK } from './page.mjs';

const DOOR = camera({ name: 'door', title: 'Front door' });

/** Makes a guest link on the owner's page. */
async function makeLink(page, { browsers = 1, where = null, name = '' } = {}) {
  await page.getByLabel('How many browsers').fill(String(browsers));
  await page.getByLabel('For whom').fill(name);
  if (where) await page.getByLabel('Which camera').selectOption(where);
  await button(page, 'Make a link').click();
  const shown = page.getByLabel('Guest link', { exact: true });
  await shown.waitFor();
  const url = new URL(await shown.inputValue());
  await button(page, 'Done').click();
  assert.equal(url.pathname, '/guest');
  return url.pathname + url.hash;
}

describe('a guest', () => {
  for (const [name, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    pageTest(`looks, and nothing else, until the link is revoked (${name})`, PRIVATE, async ({ come, daemon }) => {
      await choosePassword(daemon);
      const page = await owner({ come, daemon }, '/access');
      const where = await makeLink(page, { browsers: 2, name: 'Grandma' });
      const guest = await stranger(come, daemon.url + where, options);
      await guest.waitForURL((url) => url.pathname === '/');
      assert.equal(guest.url(), `${daemon.url}/`);
      for (const path of ['/api/stats', '/api/cameras/tank/ledger']) {
        assert.equal(await guest.evaluate((url) => fetch(url).then(({ status }) => status), path), 403, path);
      }
      await guest.goto(`${daemon.url}/access`);
      await guest.waitForURL('**/sign-in?to=%2Faccess');
      await says(guest, /You are a guest here/);
      await guest.goto(daemon.url);
      await inState(guest, 'off');
      await start(guest);
      await live(guest);
      await morePictures(guest, 3);
      await link(guest, 'Sign in').waitFor();
      assert.equal(await guest.getByRole('button', { name: 'Adjust' }).count(), 0);
      assert.equal(await guest.getByRole('link', { name: 'Visitors' }).count(), 0);
      assert.equal(await guest.locator('.ledger').isVisible(), false);
      assert.equal(await guest.evaluate(() => document.documentElement.scrollWidth), options.viewport.width);
      await shoot(guest, `guest-${name}`);
      const row = page.locator('#links li', { hasText: 'Grandma' });
      await button(row, 'Revoke').click();
      await button(row, 'Really revoke?').click();
      await guest.waitForURL('**/guest?ended');
      await says(guest, /Your visit is over/);
      await shoot(guest, `guest-ended-${name}`);
      assert.equal(await guest.locator('canvas').count(), 0);
      await noCapture(daemon);
      const late = await stranger(come, daemon.url + where, options);
      await says(late, /does not work any more/);
      assert.equal(late.url(), `${daemon.url}/guest`);
    });
  }

  pageTest('comes in no more often than the link is for', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const where = await makeLink(await owner({ come, daemon }, '/access'));
    const first = await stranger(come, daemon.url + where);
    await inState(first, 'off');
    const second = await stranger(come, daemon.url + where);
    await says(second, /This link is used up/);
    await shoot(second, 'guest-used-up');
    await second.goto(daemon.url);
    await second.waitForURL('**/sign-in**');
    // The first one has a place already, and may open the link again.
    await first.goto('about:blank');
    await first.goto(daemon.url + where);
    await inState(first, 'off');
  });

  pageTest('of one camera finds it, and no other', PRIVATE + DOOR, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const where = await makeLink(await owner({ come, daemon }, '/access'), { where: 'Front door' });
    const guest = await stranger(come, daemon.url + where);
    await guest.waitForURL('**/cameras/door/');
    await inState(guest, 'off');
    await start(guest);
    await live(guest);
    await guest.goto(daemon.url);
    await until(() => guest.evaluate(() => document.querySelector('h1')?.innerText === 'Front door'), 'the only camera');
    await guest.goto(`${daemon.url}/cameras/tank/`);
    await guest.waitForURL('**/sign-in**');
    await says(guest, /You are a guest here/);
  });

  pageTest('needs the whole link', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await stranger(come, `${daemon.url}/guest`);
    await says(page, /Something is missing/);
    await page.goto(`${daemon.url}/guest#0123456789abcdef`);
    await says(page, /does not work any more/);
    assert.equal(page.url(), `${daemon.url}/guest`);
    const host = await owner({ come, daemon }, '/access');
    const where = await makeLink(host);
    await host.goto(daemon.url + where);
    await says(host, /You need no guest link/);
    await link(host, 'To the camera').click();
    await inState(host, 'off');
    // So it is still of use.
    await page.goto(daemon.url + where);
    await inState(page, 'off');
  });
});

describe('a public camera', () => {
  pageTest('is there for everybody, with a way to sign in', `access = "password"\n\n${DOOR}${camera({ name: 'tank', title: 'Aquarium', public: true })}`, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await stranger(come, `${daemon.url}/cameras/tank/`);
    await start(page);
    await live(page);
    assert.equal(await page.getByRole('button', { name: 'Adjust' }).count(), 0);
    assert.equal(await page.locator('.ledger').isVisible(), false);
    await link(page, 'Sign in').click();
    await page.waitForURL('**/sign-in?to=%2Fcameras%2Ftank%2F');
  });
});

describe('a camera that is open to everyone', () => {
  pageTest('says so where the network gets it, and not on this machine', `access = "open"\n\n${TANK}`, async ({ come, daemon }) => {
    const near = await stranger(come, daemon.url);
    await inState(near, 'off');
    assert.equal(await near.locator('.way-in').isVisible(), false);
    await near.goto(`${daemon.url}/access`);
    await says(near, /Whoever uses this machine[^]*sudo eyelid setup/);
    for (const [name, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
      const far = await stranger(come, daemon.url.replace('127.0.0.1', 'pi.local'), options);
      await link(far, 'Open to everyone in this network').waitFor();
      await far.getByRole('button', { name: 'Start Camera' }).waitFor();
      await shoot(far, `open-${name}`);
      await link(far, 'Open to everyone in this network').click();
      await says(far, /Everybody in this network[^]*sudo eyelid setup/);
      assert.equal(await far.getByRole('button', { name: 'Sign out' }).count(), 0);
    }
  });
});
