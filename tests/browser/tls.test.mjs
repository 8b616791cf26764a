// The page over TLS, with the certificate that the daemon makes itself and that a browser has to be told to trust.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { DESKTOP, morePictures, shownIds, start, stop } from './browser.mjs';
import { until } from './daemon.mjs';
import { ascending, by, liveBy, noCapture, pageTest, TANK } from './page.mjs';

const TLS = '[tls]\nself_signed = true\n';
const TRUSTING = { options: { ...DESKTOP, ignoreHTTPSErrors: true } };

describe('over TLS', () => {
  for (const way of ['url', 'ws']) {
    pageTest(`pictures come by ${way}, and the camera goes off with the page`, by(way) + TLS + TANK, async ({ daemon, visit }) => {
      assert.match(daemon.url, /^https:/);
      const page = await visit('/', TRUSTING);
      const sockets = [];
      page.on('websocket', (socket) => sockets.push(new URL(socket.url())));
      await start(page);
      await liveBy(way)(page);
      await morePictures(page, 10);
      assert.ok(ascending(await shownIds(page)));
      assert.ok(await page.evaluate(() => window.isSecureContext));
      // Of Socket.IO, which begins without one, or of the pictures.
      await until(() => way === 'url' || sockets.some(({ pathname }) => pathname === '/ws'), 'the WebSocket');
      assert.ok(sockets.every(({ protocol }) => protocol === 'wss:'), sockets.join());
      await stop(page);
      await noCapture(daemon);
    });
  }

  pageTest('who follows a link of http is led to https', TLS + TANK, async ({ daemon, come }) => {
    const visitor = await come(TRUSTING.options);
    await visitor.page.goto(daemon.url.replace('https:', 'http:'));
    assert.equal(visitor.page.url(), `${daemon.url}/`);
    await start(visitor.page);
    await morePictures(visitor.page);
  });

  pageTest('a browser that was told nothing shows no page', TLS + TANK, async ({ daemon, come }) => {
    const { page } = await come();
    await assert.rejects(page.goto(daemon.url), /ERR_CERT_AUTHORITY_INVALID/);
    assert.deepEqual(daemon.captures(), []);
  });
});
