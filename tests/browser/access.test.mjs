// Who may look: the setup, the sign-in, and the owner's page.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { button, choosePassword, link, owner, PASSWORD, post, PRIVATE, says, setupLink, stranger } from './access.mjs';
import { DESKTOP, inState, live, PHONE, shoot, start } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { noCapture, pageTest, TANK } from './page.mjs';

const field = (page) => page.getByLabel('Password', { exact: true });
const told = async (daemon, path, headers = {}) => (await fetch(daemon.url + path, { headers })).json();
const basic = (password) => ({ Authorization: `Basic ${Buffer.from(`eyelid:${password}`).toString('base64')}` });

/** Reads what is shown once. */
async function shownOnce(page, name) {
  const secret = page.getByLabel(name, { exact: true });
  await secret.waitFor();
  return secret.inputValue();
}

/** Notes how far things on the page have moved by themselves, and asserts that none did. */
const still = (page) => page.context().addInitScript(() => {
  window.moved = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moved.push(entry.value);
  }).observe({ type: 'layout-shift', buffered: true });
});
const stood = async (page) => assert.deepEqual(await page.evaluate(() => window.moved), []);

describe('the setup', () => {
  pageTest('chooses a password, and nobody looks before', PRIVATE, async ({ come, daemon }) => {
    const page = await stranger(come, daemon.url);
    await page.waitForURL('**/setup');
    await says(page, /waits for its owner[^]*sudo eyelid setup[^]*journalctl -u eyelid/);
    await shoot(page, 'setup-locked');
    assert.equal((await fetch(`${daemon.url}/snapshot.jpg`)).status, 401);
    // The link is opened where the page is open already.
    await page.goto(await setupLink(daemon));
    await says(page, /Choose a password/);
    assert.equal(page.url(), `${daemon.url}/setup`);
    await shoot(page, 'setup');
    await field(page).fill('too short');
    await page.keyboard.press('Enter');
    await says(page, /A password has 10 characters at least/);
    await says(page, /1 more character/);
    assert.equal((await told(daemon, '/api/access')).mode, 'setup');
    await button(page, 'Show the password').click();
    assert.equal(await field(page).getAttribute('type'), 'text');
    await field(page).fill(PASSWORD);
    await button(page, 'Use this password').click();
    await page.waitForURL(`${daemon.url}/`);
    await start(page);
    await live(page);
    const { mode, who } = await page.evaluate(() => fetch('/api/access').then((answer) => answer.json()));
    assert.deepEqual([mode, who], ['password', 'owner']);
    assert.equal((await told(daemon, '/api/access')).who, 'nobody');
  });

  pageTest('opens it to everyone only when that is said twice', TANK, async ({ come, daemon }) => {
    const page = await stranger(come, await setupLink(daemon));
    await button(page, 'Open to everyone in this network…').click();
    await says(page, /Open to everyone\?[^]*Wi-Fi/);
    await shoot(page, 'setup-open');
    await button(page, 'Back').click();
    await says(page, /Choose a password/);
    await button(page, 'Open to everyone in this network…').click();
    assert.equal((await told(daemon, '/api/access')).mode, 'setup');
    await button(page, 'Open to everyone').click();
    await page.waitForURL(`${daemon.url}/`);
    await inState(page, 'off');
    assert.equal((await told(daemon, '/api/access')).mode, 'open');
  }, '--listen', '0.0.0.0:0');

  pageTest('takes no wrong code, and says how to get one', PRIVATE, async ({ come, daemon }) => {
    const page = await stranger(come, `${daemon.url}/setup#0123456789abcdef`);
    await field(page).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await says(page, /waits for its owner[^]*code[^]*sudo eyelid setup/);
    assert.equal((await told(daemon, '/api/access')).mode, 'setup');
    await page.reload();
    await says(page, /waits for its owner/);
  });
});

describe('the sign-in', () => {
  pageTest('tells what is wrong, and leads to where it was asked for', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await stranger(come, `${daemon.url}/stats`);
    await page.waitForURL('**/sign-in?to=%2Fstats');
    await says(page, /Forgotten/);
    await page.keyboard.press('Enter');
    await says(page, /Write the password first/);
    await page.keyboard.type('wrong wrong wrong');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /password/i.test(document.getElementById('told').innerText) && !/first/.test(document.getElementById('told').innerText));
    assert.equal(await page.evaluate(() => document.activeElement.id), 'password');
    assert.equal(await page.locator('main').innerText().then((text) => text.match(/forgotten|sudo/gi).join()), 'Forgotten,sudo', 'said once');
    await shoot(page, 'sign-in-wrong');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${daemon.url}/stats`);
    await says(page, /Nobody has watched yet/);
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ['eyelid', true, 'Strict', '/']);
  });

  pageTest('leads to no other site', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await owner({ come, daemon });
    for (const to of ['//evil.example', '/\\evil.example', 'https://evil.example/', '/..//evil.example', '/\t/evil.example']) {
      await page.goto(`${daemon.url}/sign-in?to=${encodeURIComponent(to)}`);
      await page.waitForURL((url) => url.pathname !== '/sign-in');
      assert.equal(new URL(page.url()).origin, daemon.url, to);
    }
  });

  pageTest('is passed at once by who is signed in', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await owner({ come, daemon });
    await page.goto(`${daemon.url}/sign-in?to=%2Fstats`);
    await page.waitForURL(`${daemon.url}/stats`);
    // A link on another site brings no cookie along: the way is through the sign-in, and nothing is asked.
    await page.goto('about:blank');
    await page.setContent(`<a href="${daemon.url}/stats">the camera</a>`);
    await page.getByRole('link').click();
    await page.waitForURL(`${daemon.url}/stats`);
    await says(page, /Nobody has watched yet/);
  });

  pageTest('has to wait after too many wrong ones, and says for how long', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await stranger(come, `${daemon.url}/sign-in`);
    for (let tries = 0; ; tries += 1) {
      assert.ok(tries < 20, 'so many wrong ones are not looked at');
      await field(page).fill(`wrong ${tries}`);
      const [answer] = await Promise.all([page.waitForResponse('**/api/login'), page.keyboard.press('Enter')]);
      await page.waitForSelector('#told:not(:empty)');
      if (answer.status() === 429) break;
      assert.equal(answer.status(), 401);
    }
    await says(page, /You can try again in \d+ (s|min)/);
    // What is written in the meantime is not sent.
    const [waits, sent] = await page.evaluate(() => {
      let asked = 0;
      const { fetch } = window;
      window.fetch = (...all) => {
        asked += 1;
        return fetch(...all);
      };
      const disabled = document.getElementById('go').getAttribute('aria-disabled');
      document.getElementById('form').requestSubmit();
      return [disabled, asked];
    });
    assert.deepEqual([waits, sent], ['true', 0]);
    await shoot(page, 'sign-in-wait');
  });
});

describe('the owner’s page', () => {
  pageTest('is a click away, and signs out', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await owner({ come, daemon });
    await link(page, 'Who may look').click();
    await page.waitForURL('**/access');
    await says(page, /Signed-in browsers[^]*this browser/);
    await button(page, 'Sign out').first().click();
    await page.waitForURL('**/sign-in');
    await says(page, /Forgotten/);
    await page.goto(`${daemon.url}/access`);
    await page.waitForURL('**/sign-in?to=%2Faccess');
    await page.goto(daemon.url);
    await page.waitForURL('**/sign-in**');
  });

  pageTest('ends another browser, and that one sees nothing more', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const other = await owner({ come, daemon });
    await start(other);
    await live(other);
    const page = await owner({ come, daemon }, '/access');
    const rows = page.locator('#sessions li');
    await until(async () => await rows.count() >= 2, 'both browsers');
    const last = rows.filter({ hasNotText: 'this browser' }).filter({ hasText: 'Chrom' });
    await button(last, 'Sign out').click();
    await button(last, 'Really?').click();
    await other.waitForURL('**/sign-in');
    await noCapture(daemon);
    await until(async () => await last.count() === 0, 'it is gone from the list');
    await page.reload();
    await says(page, /this browser/);
  });

  pageTest('signs out everywhere', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const other = await owner({ come, daemon });
    await inState(other, 'off');
    const page = await owner({ come, daemon }, '/access');
    await button(page, 'Sign out everywhere').click();
    await button(page, 'Really, here too?').click();
    await page.waitForURL('**/sign-in');
    await other.waitForURL('**/sign-in');
  });

  pageTest('changes the password', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await owner({ come, daemon }, '/access');
    const [before, after] = [page.getByLabel('Password until now', { exact: true }), page.getByLabel('New password', { exact: true })];
    await before.fill('this is not it');
    await after.fill('another of these');
    await button(page, 'Change password').click();
    await page.waitForSelector('#password-told:not(:empty)');
    assert.match(page.url(), /\/access$/);
    await before.fill(PASSWORD);
    await button(page, 'Change password').click();
    await says(page, /The password is changed/);
    assert.equal((await post(daemon, '/api/login', { password: PASSWORD })).status, 401);
    assert.equal((await post(daemon, '/api/login', { password: 'another of these' })).status, 200);
    assert.deepEqual([await before.inputValue(), await after.inputValue()], ['', '']);
  });

  pageTest('makes a password for a program, and revokes it', PRIVATE, async ({ come, daemon }) => {
    await choosePassword(daemon);
    const page = await owner({ come, daemon }, '/access');
    await button(page, 'Make a password').click();
    await says(page, /Write for which program it is/);
    await page.getByLabel('For which program').fill('OctoPrint');
    await page.keyboard.press('Enter');
    const password = await shownOnce(page, 'App password');
    const address = await page.locator('[data-part="picture"]').innerText();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await button(page, 'Copy').click();
    await says(page, /Copied/);
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), password);
    await shoot(page, 'access-app');
    assert.equal(address, `${daemon.url}/snapshot.jpg`);
    const answer = await fetch(address, { headers: basic(password) });
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'image/jpeg']);
    assert.equal((await fetch(`${daemon.url}/api/stats`, { headers: basic(password) })).status, 403);
    await button(page, 'Done').click();
    assert.equal(await page.locator('.made').count(), 0);
    const row = page.locator('#apps li', { hasText: 'OctoPrint' });
    await button(row, 'Revoke').click();
    await button(row, 'Really revoke?').click();
    await until(async () => await page.locator('#apps li').count() === 0, 'it is gone from the list');
    assert.equal((await fetch(address, { headers: basic(password) })).status, 401);
  });

  for (const [name, options] of [['phone', PHONE], ['desktop', DESKTOP]]) {
    pageTest(`fits on a ${name}, and nothing moves`, PRIVATE + camera({ name: 'door', title: 'Front door' }), async ({ come, daemon }) => {
      await choosePassword(daemon);
      const width = (page) => page.evaluate(() => document.documentElement.scrollWidth);
      const visitor = await come(options);
      await still(visitor.page);
      const page = await visitor.open(`${daemon.url}/sign-in?to=%2Faccess`, { expected: /status of 4/ });
      await says(page, /Forgotten/);
      await stood(page);
      assert.equal(await width(page), options.viewport.width);
      await shoot(page, `sign-in-${name}`);
      await field(page).fill(PASSWORD);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/access');
      await says(page, /this browser/);
      await stood(page);
      await page.getByLabel('For whom').fill('Grandma');
      await page.getByLabel('Which camera').selectOption('Front door');
      await button(page, 'Make a link').click();
      await shownOnce(page, 'Guest link');
      await says(page, /Grandma[^]*Front door · until/);
      assert.equal(await width(page), options.viewport.width);
      await shoot(page, `access-${name}`);
      await page.goto(daemon.url);
      await page.waitForSelector('.tile');
      await link(page, 'Who may look').waitFor();
      assert.equal(await width(page), options.viewport.width);
      await shoot(page, `grid-owner-${name}`);
    });
  }

  pageTest('can be used by keyboard alone, from the setup to the sign-out', PRIVATE, async ({ come, daemon }) => {
    const page = await stranger(come, await setupLink(daemon));
    const focused = () => page.evaluate(() => document.activeElement.ariaLabel || document.activeElement.innerText || document.activeElement.id);
    const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
    /** Goes on by Tab until it is there; what is on the way has a visible focus. */
    const reach = async (name) => {
      for (let steps = 0; await focused() !== name; steps += 1) {
        assert.ok(steps < 40, `there is a way to ${name}`);
        await press('Tab');
        // Behind the last one is the browser's own, then the page again.
        const seen = await page.evaluate(() => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none');
        assert.ok(seen, await focused());
      }
    };
    await says(page, /Choose a password/);
    assert.equal(await focused(), 'password');
    await page.keyboard.type(PASSWORD);
    await reach('Show the password');
    await press('Space');
    await reach('Use this password');
    await press('Enter');
    await page.waitForURL(`${daemon.url}/`);
    await link(page, 'Who may look').waitFor();
    await reach('Who may look');
    await press('Enter');
    await page.waitForURL('**/access');
    await says(page, /this browser/);
    await reach('app-name');
    await page.keyboard.type('VLC');
    await press('Enter');
    await shownOnce(page, 'App password');
    assert.equal(await focused(), 'The new app password');
    await reach('Done');
    await press('Enter');
    assert.equal(await focused(), 'Make a password');
    await reach('Revoke');
    await press('Enter');
    assert.equal(await focused(), 'Really revoke?');
    await press('Enter');
    await until(async () => await page.locator('#apps li').count() === 0, 'it is gone from the list');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'apps-heading');
    await reach('Change password');
    await reach('Sign out');
    await press('Enter');
    await page.waitForURL('**/sign-in');
    await says(page, /Forgotten/);
    assert.equal(await focused(), 'password');
  });
});
