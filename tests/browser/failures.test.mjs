// The page while a capture, the daemon or the line fails, and afterwards.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { inState, isLive, live, morePictures, saying, shoot, shownIds, start, stop, wasInState, words } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { ascending, by, eachWay, gone, idle, NETWORK, pageTest, TANK } from './page.mjs';

/** Sends a signal to a process, which may have ended just now: then false. */
const send = (pid, signal) => { try { return process.kill(pid, signal); } catch { return false; } };

describe('when something fails', () => {
  eachWay('a killed capture is said, and comes back', TANK, async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    const capture = await daemon.capture();
    // The pause before the next try doubles, until there is time to read it.
    await until(async () => {
      for (const pid of daemon.captures()) send(pid, 'SIGKILL');
      return /^Next try in [2-9]/.test(await page.locator('.more').textContent());
    }, 'a longer pause');
    const said = await saying(page, 'failed');
    assert.match(said.words, /^Interrupted\s+\S/);
    assert.equal(said.live, false);
    await shoot(page, 'interrupted');
    await live(page);
    assert.notEqual(await daemon.capture(), capture);
    assert.ok(ascending(await shownIds(page)));
  });

  eachWay('a camera that stands still loses its LIVE mark, is dimmed, and goes on', camera({ name: 'tank', title: 'Aquarium', stall_timeout: '60s' }), async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    const capture = await daemon.capture();
    process.kill(capture, 'SIGSTOP');
    await inState(page, 'late');
    assert.equal(await isLive(page), false);
    await shoot(page, 'late');
    await inState(page, 'stalled');
    assert.equal(await page.title(), 'Aquarium');
    await page.waitForFunction(() => /^Picture from \d+ s ago$/.test(document.querySelector('.more').textContent));
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.querySelector('canvas')).filter), 'none');
    await shoot(page, 'stalled');
    process.kill(capture, 'SIGCONT');
    await live(page);
  });

  eachWay('a stall that the daemon ends is said, and a new capture started', camera({ name: 'tank', stall_timeout: '2s' }), async ({ daemon, live, visit }) => {
    const page = await visit();
    await start(page);
    await live(page);
    // A busy machine may have stalled by itself, before or just now, and have another capture.
    await page.evaluate(() => { window.states.length = 0; });
    const capture = await until(async () => {
      const pid = await daemon.capture();
      return send(pid, 'SIGSTOP') && pid;
    }, 'a capture that is stopped');
    await gone(capture);
    await wasInState(page, 'failed');
    await live(page);
    assert.notEqual(await daemon.capture(), capture);
  });

  pageTest('a camera that can\'t start says why, and when it is tried again', camera({ name: 'tank', title: 'Aquarium', kind: 'command', command: 'echo the cable is out >&2; exit 3' }), async ({ daemon, visit }) => {
    const page = await visit();
    await start(page);
    assert.match((await saying(page, 'failed')).words, /^Can’t start\s+\S.{10}/);
    // From the second try on, when the pause is long enough to be counted.
    await page.waitForFunction(() => /^Next try in \d+ s$/.test(document.querySelector('.more').textContent));
    await shoot(page, 'cannot-start');
    await stop(page);
    await inState(page, 'off');
    await idle(daemon);
  });

  pageTest('a starting camera says so', camera({ name: 'tank', title: 'Aquarium', kind: 'command', command: 'sleep 60' }), async ({ visit }) => {
    const page = await visit();
    await start(page);
    await inState(page, 'starting');
    await shoot(page, 'starting');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    assert.equal(await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length), 0);
  });

  eachWay('a killed server is said, takes the capture with it, and the picture comes back by itself', TANK, async ({ daemon, live, visit }) => {
    const page = await visit('/', { expected: NETWORK });
    await start(page);
    await live(page);
    const capture = await daemon.capture();
    await daemon.kill();
    await inState(page, 'lost');
    assert.equal(await isLive(page), false);
    assert.match(await words(page), /^Connection lost/);
    await gone(capture);
    await page.waitForFunction(() => /ago$/.test(document.querySelector('.more').textContent));
    await shoot(page, 'connection-lost');
    await daemon.start();
    await live(page);
    await morePictures(page);
    assert.ok(ascending(await shownIds(page)));
  });

  eachWay('Start Camera pressed without a server starts when it is back', TANK, async ({ daemon, live, visit }) => {
    const page = await visit('/', { expected: NETWORK });
    await inState(page, 'off');
    await daemon.kill();
    await inState(page, 'lost');
    await start(page);
    await daemon.start();
    await live(page);
  });

  pageTest('pictures that do not load are survived', by('url') + TANK, async ({ visit, come, daemon }) => {
    const visitor = await come();
    const page = await visitor.open(daemon.url, { expected: /Failed to load resource/ });
    await start(page);
    await live(page);
    await page.route('**/image_stream.jpg*', (route) => route.fulfill({ status: 500, body: 'no' }));
    await inState(page, 'late');
    await page.unroute('**/image_stream.jpg*');
    await live(page);
  });

  pageTest('a slow line shows fewer pictures, none older than the one before', by('url') + TANK, async ({ come, daemon }) => {
    const visitor = await come();
    const page = await visitor.open(daemon.url);
    let loading = 0;
    let most = 0;
    await page.route('**/image_stream.jpg*', async (route) => {
      loading += 1;
      most = Math.max(most, loading);
      const answer = await route.fetch();
      await new Promise((resolve) => setTimeout(resolve, 350));
      loading -= 1;
      await route.fulfill({ response: answer });
    });
    await start(page);
    await live(page);
    await morePictures(page, 6);
    const ids = await shownIds(page);
    assert.ok(ascending(ids), ids.join());
    assert.equal(most, 1, 'one at a time');
    const skipped = ids.slice(1).filter((id, i) => id - ids[i] > 250_000);
    assert.ok(skipped.length >= 4, `pictures are skipped: ${ids.join()}`);
  });
});
