// What tests of access share: daemons with a password, and those who come in.

import { DESKTOP } from './browser.mjs';
import { until } from './daemon.mjs';
import { TANK } from './page.mjs';

/** A daemon that asks for a password on this machine too. */
export const PRIVATE = `access = "password"\n\n${TANK}`;
export const PASSWORD = 'seaweed and snails';
/** Console errors of those who are refused. */
export const REFUSED = /status of 4\d\d|WebSocket connection to|ERR_CONNECTION/;

/** The link in the journal that lets somebody choose, where the test finds the daemon. */
export async function setupLink(daemon) {
  const line = await until(() => daemon.log.find((text) => text.includes('/setup#')), 'the link for the setup in the log');
  const [, code] = /\/setup#([\w-]+)/.exec(line);
  return `${daemon.url}/setup#${code}`;
}

/** Chooses `PASSWORD` as the page does; without a browser. */
export async function choosePassword(daemon) {
  const code = (await setupLink(daemon)).split('#')[1];
  const answer = await post(daemon, '/api/setup', { code, password: PASSWORD });
  if (!answer.ok) throw new Error(`the password was not taken: ${answer.status} ${await answer.text()}`);
}

export const post = (daemon, path, body, headers = {}) => fetch(daemon.url + path, {
  method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
});

/** A visitor with a page, whose refusals are no complaints. */
export async function stranger(come, url, options = DESKTOP) {
  const visitor = await come(options);
  await visitor.open(url, { expected: REFUSED });
  return visitor.page;
}

/** A visitor who is signed in, on this page. */
export async function owner({ come, daemon }, where = '/', options = DESKTOP) {
  const page = await stranger(come, `${daemon.url}/sign-in?to=${encodeURIComponent(where)}`, options);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL(daemon.url + where);
  return page;
}

export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const link = (page, name) => page.getByRole('link', { name, exact: true });
/** Waits until the page says this. */
export const says = (page, pattern) => page.waitForFunction((source) => new RegExp(source).test(document.querySelector('main')?.innerText ?? ''), pattern.source);
