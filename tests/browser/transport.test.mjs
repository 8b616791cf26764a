// How pictures get to the page: what the configuration says, what the line makes of it, and what is in the way.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { inState, live, morePictures, shownIds, start, stop } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { ascending, by, liveBy, noCapture, pageTest, TANK, viewers } from './page.mjs';
import { Line } from './line.mjs';

const LONG = { delay: 150 };
const onWs = liveBy('ws');
const onUrl = liveBy('url');

/** Opens the page through a line, and counts what goes over it. */
async function through(line, come, rest) {
  const visitor = await come();
  const seen = { asked: 0, came: 0, fetched: 0, opened: [] };
  visitor.page.on('websocket', (socket) => {
    const { pathname, search } = new URL(socket.url());
    if (!pathname.endsWith('/ws')) return;
    seen.opened.push(pathname + search);
    socket.on('framesent', ({ payload }) => { seen.asked += payload === '{"ready":true}' ? 1 : 0; });
    socket.on('framereceived', ({ payload }) => { seen.came += typeof payload === 'string' ? 0 : 1; });
  });
  visitor.page.on('request', (request) => { seen.fetched += request.url().includes('/image_stream.jpg') ? 1 : 0; });
  return { page: await visitor.open(line.url, rest), seen };
}

/** A test on a line of that kind. */
function lineTest(name, config, kind, body) {
  pageTest(name, config, async ({ daemon, come }) => {
    const line = await Line.to(daemon.url, kind);
    try {
      await body({ daemon, line, visit: (rest) => through(line, come, rest) });
    } finally {
      await line.end();
    }
  });
}

/** The round trip that the page has measured, from what it says of its numbers. */
const trip = (page) => until(async () => {
  const [, ms] = /takes (\d+) ms/.exec(await page.locator('[data-part="delay"]').getAttribute('title')) ?? [];
  return Number(ms);
}, 'a round trip');

describe('how pictures come', () => {
  lineTest('over a WebSocket none is fetched, and the browser is one viewer', by('ws') + TANK, {}, async ({ daemon, visit }) => {
    const { page, seen } = await visit();
    await start(page);
    await onWs(page);
    const { fetched } = seen;
    await morePictures(page, 10);
    assert.equal(seen.fetched, fetched);
    assert.deepEqual([...new Set(seen.opened)], ['/ws?lease=false&times=true&ready=true']);
    assert.ok(seen.came >= 10, `${seen.came} pictures`);
    assert.ok(ascending(await shownIds(page)));
    await viewers(daemon, 1);
    const second = (await visit()).page;
    await onWs(second);
    await viewers(daemon, 2);
    await stop(second);
    await inState(second, 'stopped');
    await viewers(daemon, 1);
    await stop(page);
    await noCapture(daemon);
  });

  lineTest('by addresses no WebSocket is opened for them, however long the line', by('url') + TANK, LONG, async ({ visit }) => {
    const { page, seen } = await visit();
    await start(page);
    await onUrl(page);
    assert.ok((await trip(page)) >= 300);
    await morePictures(page, 3);
    assert.deepEqual(seen.opened, []);
  });

  lineTest('on a long line a WebSocket is chosen', TANK, LONG, async ({ visit }) => {
    const { page, seen } = await visit();
    await start(page);
    await onWs(page);
    await morePictures(page, 5);
    assert.ok((await trip(page)) >= 300);
    assert.ok(ascending(await shownIds(page)));
    assert.notDeepEqual(seen.opened, []);
    assert.match(await page.locator('[data-part="delay"]').getAttribute('title'), /^Pictures come over a WebSocket/);
  });

  lineTest('on a short line addresses are', camera({ name: 'tank', interval: '500ms' }), {}, async ({ visit }) => {
    const { page, seen } = await visit();
    await start(page);
    await live(page);
    const before = await trip(page);
    await morePictures(page, 5);
    const opened = seen.opened.length > 0;
    // On a machine so busy that its own answers take longer than the limit, the WebSocket is right.
    if (Math.max(before, await trip(page)) <= 100) assert.equal(opened, false);
  });

  lineTest('an open page follows the configuration when it is seen again', by('url') + TANK, {}, async ({ daemon, visit }) => {
    const { page } = await visit();
    await start(page);
    await onUrl(page);
    const capture = await daemon.capture();
    for (const [way, there] of [['ws', onWs], ['url', onUrl]]) {
      daemon.configure(by(way) + TANK);
      await until(async () => (await (await fetch(`${daemon.url}/api/cameras`)).json()).page.transport === way, `the way ${way}`);
      await page.evaluate(() => { window.setHidden(true); window.setHidden(false); });
      await there(page);
      await morePictures(page);
    }
    assert.deepEqual(daemon.captures(), [capture]);
    assert.ok(ascending(await shownIds(page)));
  });
});

describe('what is in the way', () => {
  const NO_WEBSOCKET = { expected: /WebSocket connection to .* failed/ };

  for (const [what, refuse] of [['for pictures', /^GET \/ws/], ['at all', /^GET \/(ws|socket\.io\/.*transport=websocket)/]]) {
    lineTest(`where no WebSocket gets through ${what}, addresses are used`, by('ws') + TANK, { refuse }, async ({ daemon, visit }) => {
      const { page, seen } = await visit(NO_WEBSOCKET);
      await start(page);
      await until(() => seen.opened.length > 0, 'a try');
      await morePictures(page, 10);
      await onUrl(page);
      assert.equal(seen.came, 0);
      await viewers(daemon, 1);
    });
  }

  lineTest('a thin line shows fewer pictures over a WebSocket, none older than the one before, and none queues', by('ws') + TANK, { rate: 40_000 }, async ({ visit }) => {
    const { page, seen } = await visit();
    await start(page);
    await onWs(page);
    const before = (await shownIds(page)).length;
    await morePictures(page, 8);
    const ids = (await shownIds(page)).slice(before);
    assert.ok(ascending(ids), ids.join());
    const skipped = ids.slice(1).filter((id, i) => id - ids[i] > 150_000);
    assert.ok(skipped.length >= 4, `pictures are skipped: ${ids.join()}`);
    assert.ok(seen.came <= seen.asked + 1, `${seen.came} pictures came, ${seen.asked} were asked for`);
  });

  lineTest('a WebSocket that breaks is opened again, and the picture stays live', by('ws') + TANK, {}, async ({ daemon, line, visit }) => {
    const { page, seen } = await visit({ expected: /WebSocket connection to|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/ });
    await start(page);
    await onWs(page);
    const capture = await daemon.capture();
    line.cut(/^GET \/ws/);
    await until(() => seen.opened.length === 2, 'another one');
    await onWs(page);
    await morePictures(page, 3);
    assert.ok(ascending(await shownIds(page)));
    assert.deepEqual(daemon.captures(), [capture]);
    await viewers(daemon, 1);
  });
});
