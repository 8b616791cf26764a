// Another web site, with a page that shows cameras of the daemon by its embed.js.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { camera, until } from './daemon.mjs';
import { pageTest } from './page.mjs';

/** Notes what the elements tell, and makes pictures and words of their shadows easy to ask for. */
function listen() {
  window.told = [];
  for (const name of ['picture', 'state', 'error', 'wave', 'play', 'pause']) {
    document.addEventListener(`eyelid-${name}`, ({ detail, target }) => window.told.push({ name, detail, target: target.id, at: performance.now() }));
  }
  window.inside = (part, id = 'eye') => document.getElementById(id).shadowRoot.querySelector(`[part~="${part}"]`);
  window.pictures = (id = 'eye') => window.told.filter(({ name, target }) => name === 'picture' && target === id).map(({ detail }) => detail.id);
}

/** The site at a name of this machine: `body` is that of all its pages, `policy` their content security policy. */
async function site(host, body, policy) {
  const server = createServer((request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', policy);
    response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">${body}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://${host}:${server.address().port}`, end: () => server.close() };
}

/** The policy that docs/embed.md tells a site to have, and nothing else but styles for the test's own page. */
const policy = (url) => `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${url}; connect-src ${url} ${url.replace('http', 'ws')}`;

export const TANK = { name: 'tank', title: 'Aquarium' };

/**
 * A test with a page of another site: `body(url)` is its markup, with the daemon's address; `cameras` are their keys, and
 * `lets` those that let the site in; `more` are further lines, for the last of them. `expected`: console errors that the test provokes.
 */
export function embedTest(name, { body, cameras = [TANK], lets = cameras, host = 'localhost', more: sections = '', expected = null, come: how, before = null }, test) {
  pageTest(name, cameras.map(camera).join('') + sections, async ({ daemon, come }) => {
    const markup = `<body>${body(daemon.url)}<script type="module" src="${daemon.url}/embed.js"></script>`;
    const other = await site(host, markup, policy(daemon.url));
    const configure = (welcome) => daemon.configure(cameras.map((keys) => camera(welcome.includes(keys) ? { ...keys, origins: [other.url] } : keys)).join('') + sections);
    const visit = async (options = how) => {
      const visitor = await come(options);
      const { page } = visitor;
      const heard = (text) => { if (!expected?.test(text)) visitor.complaints.push(text); };
      page.on('console', (message) => { if (message.type() === 'error') heard(`${message.text()} ${message.location().url}`); });
      page.on('pageerror', (error) => heard(error.stack));
      page.sockets = [];
      page.on('websocket', (socket) => page.sockets.push(socket));
      await page.addInitScript(listen);
      if (before) await page.addInitScript(before);
      await page.goto(other.url);
      await page.waitForFunction(() => customElements.get('eyelid-camera'));
      return page;
    };
    try {
      if (lets.length > 0) {
        configure(lets);
        const path = `/cameras/${lets[0].name}/image_stream.jpg`;
        const known = async () => (await fetch(daemon.url + path, { headers: { Origin: other.url } })).status !== 403;
        await until(known, 'the origin is let in');
      }
      await test({ daemon, visit, come, other, configure });
    } finally {
      other.end();
    }
  });
}

/** Waits for `count` further pictures of the element. */
export async function more(page, count = 3, id = 'eye') {
  const now = (await page.evaluate((of) => window.pictures(of), id)).length;
  await page.waitForFunction(([enough, of]) => window.pictures(of).length >= enough, [now + count, id]);
}

/** Waits until the element says this. */
export const says = (page, pattern, id = 'eye') => page.waitForFunction(
  ([source, of]) => new RegExp(source).test(window.inside('label', of).textContent),
  [pattern.source, id],
);

/** Waits for an event of the element, and tells its detail. */
export const told = async (page, name) => (await page.waitForFunction((wanted) => window.told.find((event) => event.name === wanted)?.detail, name)).jsonValue();

/** A button of the element, as somebody finds it who can't see. */
export const button = (page, name) => page.getByRole('button', { name, exact: true });

/** Sees that each picture of the element was newer than the one before. */
export async function inOrder(page) {
  const ids = await page.evaluate(() => window.pictures());
  assert.ok(ids.every((id, i) => i === 0 || id > ids[i - 1]), ids.join());
}
