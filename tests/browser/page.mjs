// A test of the page: a daemon, a browser, and visitors that had nothing to complain about.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, live, Visitor } from './browser.mjs';
import { camera, Daemon, until } from './daemon.mjs';

/** Console errors of a page whose server has gone. */
export const NETWORK = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|WebSocket connection to|ERR_SOCKET_NOT_CONNECTED/;
export const TANK = camera({ name: 'tank', title: 'Aquarium' });

let browser;
before(async () => { browser = await launch(); });
after(() => browser.close());

/** A test with a daemon and visitors that are gone afterwards, and had nothing to complain about. */
export function pageTest(name, config, body, ...args) {
  test(name, async () => {
    const daemon = await Daemon.start(config, ...args);
    const visitors = [];
    const come = async (options) => {
      visitors.push(await Visitor.come(browser, options));
      return visitors.at(-1);
    };
    const visit = async (where = '/', { options, ...rest } = {}) => (await come(options)).open(daemon.url + where, rest);
    try {
      await body({ daemon, visit, come, live });
      assert.deepEqual(visitors.flatMap(({ complaints }) => complaints), []);
    } catch (error) {
      error.message += `\n${[...visitors.flatMap(({ complaints }) => complaints), ...daemon.log.slice(-12)].join('\n')}`;
      throw error;
    } finally {
      await Promise.all(visitors.map((visitor) => visitor.leave()));
      await daemon.end();
    }
  });
}

/** Configuration that wants pictures to come this way. */
export const by = (transport) => `[page]\ntransport = "${transport}"\n`;

/** Waits until the page is live with pictures that come this way. */
export const liveBy = (way) => (page) => page.waitForSelector(`.camera.is-live[data-transport="${way}"]`);

/** The same test for each way in which pictures can come; its `live` waits until they come that way. */
export function eachWay(name, config, body) {
  for (const way of ['url', 'ws']) pageTest(`${name} (${way})`, by(way) + config, (given) => body({ ...given, live: liveBy(way) }));
}

export const gone = (pid) => until(() => { try { process.kill(pid, 0); return false; } catch { return true; } }, `process ${pid} is gone`);
export const ascending = (ids) => ids.every((id, i) => i === 0 || id > ids[i - 1]);
export const idle = (daemon, name = 'tank') => until(async () => (await daemon.state(name)).state === 'idle', `${name} is idle`);
export const viewers = (daemon, count) => until(async () => (await daemon.state('tank')).viewers === count, `${count} viewers`);
export const noCapture = (daemon) => until(() => daemon.captures().length === 0, 'no capture process');

