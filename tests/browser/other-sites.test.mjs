// Pages of other web sites that show the camera, as OctoPrint's does: MJPEG in an <img>, and what else they may do.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe } from 'node:test';
import { camera, until } from './daemon.mjs';
import { idle, noCapture, pageTest, viewers } from './page.mjs';

/** Another site at a name of this machine: a page that shows `/stream.mjpg` of the daemon at `url`. */
async function site(host) {
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://site').searchParams.get('camera');
    response.setHeader('Content-Type', 'text/html');
    response.end(url ? `<!doctype html><title>Printer</title><img src="${url}/stream.mjpg" alt="">` : '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://${host}:${server.address().port}`, end: () => server.close() };
}

/** A test with the page of a site at that name in a browser; `lets` says whether the daemon lets it in. */
function siteTest(name, { lets = false, host = '127.0.0.1' }, body) {
  pageTest(name, camera({ name: 'tank' }), async ({ daemon, come }) => {
    const other = await site(host);
    try {
      if (lets) {
        daemon.configure(camera({ name: 'tank', origins: [other.url] }));
        const known = async () => (await fetch(`${daemon.url}/image_stream.jpg`, { headers: { Origin: other.url } })).headers.has('access-control-allow-origin');
        await until(known, 'the origin is let in');
      }
      const { page } = await come();
      // The stream never ends, so neither does the page's load.
      await page.goto(`${other.url}/?camera=${daemon.url}`, { waitUntil: 'commit' });
      await body({ daemon, page });
    } finally {
      other.end();
    }
  });
}

const image = (page, test) => page.waitForFunction(test);
/** What a script of the page gets from the daemon: a status, or that it gets nothing. */
const fetched = (page, url) => page.evaluate((at) => fetch(at).then(
  (answer) => [answer.status, answer.headers.has('X-Timestamp')],
  () => 'refused',
), url);
const connected = (page, url) => page.evaluate((at) => new Promise((resolve) => {
  const socket = new WebSocket(at.replace('http', 'ws'));
  socket.onmessage = ({ data }) => {
    if (typeof data === 'string') return;
    socket.close();
    resolve('a picture');
  };
  socket.onerror = () => resolve('refused');
}), url);

/** The camera's page in a frame: its heading, or nothing where the browser doesn't show it. */
const framed = async (page, url) => {
  await page.evaluate((at) => {
    const frame = document.createElement('iframe');
    frame.src = at;
    document.body.append(frame);
    return new Promise((resolve) => { frame.onload = resolve; });
  }, `${url}/cameras/tank/`);
  const frame = page.frames().at(-1);
  return frame.locator('button', { hasText: 'Start Camera' }).count().catch(() => 0);
};

describe('a page of another site', () => {
  siteTest('shows the page of the camera in a frame where the configuration lets it', { lets: true }, async ({ daemon, page }) => {
    await until(async () => await framed(page, daemon.url) > 0, 'the page in a frame');
  });

  siteTest('shows the page in no frame where it does not', {}, async ({ daemon, page }) => {
    assert.equal(await framed(page, daemon.url), 0);
  });

  siteTest('shows the camera in an <img> where the configuration lets it', { lets: true }, async ({ daemon, page }) => {
    await image(page, () => document.images[0]?.naturalWidth === 640 && document.images[0].naturalHeight === 360);
    await viewers(daemon, 1);
    const seen = new Set();
    await until(async () => seen.add((await page.locator('img').screenshot()).toString('base64')).size >= 5, 'five different pictures');
    assert.deepEqual(await fetched(page, `${daemon.url}/snapshot.jpg`), [200, true]);
    assert.equal(await connected(page, `${daemon.url}/ws`), 'a picture');
    await viewers(daemon, 1);
    await page.close();
    await idle(daemon);
    await noCapture(daemon);
  });

  const nothing = async ({ daemon, page }) => {
    await image(page, () => document.images[0]?.complete && document.images[0].naturalWidth === 0);
    assert.equal(await fetched(page, `${daemon.url}/snapshot.jpg`), 'refused');
    assert.equal(await connected(page, `${daemon.url}/ws`), 'refused');
  };

  siteTest('at another port gets nothing where it does not', {}, nothing);

  siteTest('of another name gets nothing and starts nothing', { host: 'localhost' }, async ({ daemon, page }) => {
    await nothing({ daemon, page });
    assert.equal((await daemon.state('tank')).state, 'idle');
    assert.ok(!daemon.log.some((line) => /a viewer came/.test(line)), daemon.log.join('\n'));
  });
});
