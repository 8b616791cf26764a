// The page that shows the element's variants, on the daemon itself.

import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { PHONE, shoot } from './browser.mjs';
import { camera, until } from './daemon.mjs';
import { idle, noCapture, pageTest, TANK } from './page.mjs';

const TWO = TANK + camera({ name: 'door', title: 'Front door' });
const VARIANTS = ['plain', 'fading', 'gray', 'slow', 'waving', 'leaving', 'boxed'];

/** The page, with an element for each variant that has its camera. */
async function demo(visit, options) {
  const page = await visit('/embed-demo.html', { options });
  await page.waitForFunction((ids) => customElements.get('eyelid-camera') && ids.every((id) => document.getElementById(id)?.hasAttribute('src')), VARIANTS);
  return page;
}
const inside = (page, id, part) => page.locator(`#${id} [part~="${part}"]`);
/** Waits until that element shows pictures of now. */
const live = async (page, id) => {
  await page.locator(`#${id}`).evaluate((element) => element.shadowRoot.querySelector('[part~="stage"]').scrollIntoView({ block: 'center' }));
  await page.waitForFunction((of) => document.getElementById(of).shadowRoot.querySelector('[part~="picture"][part~="live"]'), id);
};

describe('the page of the element’s variants', () => {
  pageTest('starts no camera until one is played, and each of them plays', TWO, async ({ daemon, visit }) => {
    const page = await demo(visit);
    await page.getByText('Press play to see the camera').first().waitFor();
    assert.ok(!daemon.log.some((line) => /a viewer came/.test(line)), daemon.log.join('\n'));
    await shoot(page, 'embed-demo-off');
    await page.getByRole('button', { name: 'Play all' }).click();
    for (const id of VARIANTS) await live(page, id);
    assert.equal(daemon.captures().length, 1);
    const filter = (id) => inside(page, id, 'picture').evaluate((picture) => getComputedStyle(picture).filter);
    assert.deepEqual([await filter('plain'), await filter('gray')], ['none', 'grayscale(1)']);
    await live(page, 'waving');
    await page.getByRole('button', { name: 'Wave' }).waitFor();
    await live(page, 'boxed');
    await shoot(page, 'embed-demo-box');
    await page.getByRole('link', { name: 'a link' }).click();
    await page.waitForURL('**#boxed-code');
    await page.close();
    await idle(daemon);
    await noCapture(daemon);
  });

  pageTest('has what to write for each, and plays another camera', TWO, async ({ daemon, visit }) => {
    const page = await demo(visit);
    const markup = (name) => [
      `<eyelid-camera src="${daemon.url}/cameras/${name}" pause-offscreen label="The camera"></eyelid-camera>`,
      `<eyelid-camera src="${daemon.url}/cameras/${name}" background="container" fade grayscale pause-offscreen></eyelid-camera>`,
      `<script type="module" src="${daemon.url}/embed.js"></script>`,
      `[[camera]]\nname = "${name}"\norigins = ["https://www.example.org"]`,
    ];
    const shown = async (name) => {
      const codes = await page.locator('pre code').allTextContents();
      assert.equal(codes.length, VARIANTS.length + 3);
      for (const text of markup(name)) assert.ok(codes.includes(text), `${text}\n${codes.join('\n')}`);
      assert.ok(codes.every((text) => !/paused|id=/.test(text)), codes.join('\n'));
    };
    await shown('tank');
    await page.getByRole('combobox', { name: 'Camera' }).selectOption('Front door');
    await shown('door');
    await inside(page, 'plain', 'pause').click();
    await live(page, 'plain');
    assert.equal(await page.evaluate(() => document.getElementById('plain').state.camera), 'door');
    assert.equal((await daemon.state('tank')).state, 'idle');
  });

  pageTest('has one behind all of it on request', TANK, async ({ daemon, visit }) => {
    const page = await demo(visit, PHONE);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.viewport.width);
    const behind = page.getByRole('checkbox', { name: 'Show it on this page' });
    await behind.check();
    await page.evaluate(() => window.scrollTo({ top: 0, behavior: 'instant' }));
    await page.waitForFunction(() => document.getElementById('background')?.shadowRoot.querySelector('[part~="live"]'));
    assert.deepEqual(await inside(page, 'background', 'stage').evaluate((stage) => {
      const { x, y, width, height } = stage.getBoundingClientRect();
      return [x, y, width, height];
    }), [0, 0, PHONE.viewport.width, PHONE.viewport.height]);
    await shoot(page, 'embed-demo-behind');
    await behind.uncheck();
    await until(async () => await page.locator('#background').count() === 0, 'no background');
    await idle(daemon);
  });

  pageTest('says that the server does not answer, and goes on when it does', TANK, async ({ come, daemon }) => {
    const visitor = await come();
    await visitor.page.route('**/api/cameras', (route) => route.fulfill({ status: 500, body: 'no' }));
    const page = await visitor.open(`${daemon.url}/embed-demo.html`, { expected: /500/ });
    await page.getByText('The server does not answer. Trying again…').waitFor();
    await visitor.page.unroute('**/api/cameras');
    await page.waitForFunction(() => document.getElementById('plain').getAttribute('src'));
    await until(async () => await page.locator('#problem').innerText() === '', 'no problem');
  });
});
