import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announced, exposureOf, idOf, PictureLoader } from '../../../public/picture.js';

const picture = (id) => ({ id, url: `http://host/image_stream.jpg?_t=${id}` });
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A loader whose loads end when the test says so. */
function setUp(options = {}) {
  const loads = [];
  const shown = [];
  const loader = new PictureLoader({
    load: (wanted, signal) => new Promise((resolve, reject) => {
      const load = { id: wanted.id, signal, closed: 0 };
      load.done = (id = wanted.id) => resolve({ id, bitmap: { close: () => { load.closed += 1; } } });
      load.fail = () => reject(new Error('no'));
      loads.push(load);
    }),
    show: ({ id }) => shown.push(id),
    ...options,
  });
  return { loader, loads, shown };
}

test('an announcement is relative to the page of its camera', () => {
  assert.deepEqual(announced('image_stream.jpg?_t=1763692800123456', 'http://pi:3000/cameras/tank/'), {
    id: 1763692800123456,
    url: 'http://pi:3000/cameras/tank/image_stream.jpg?_t=1763692800123456',
  });
});

test('what is no announcement of this server is none', () => {
  for (const text of ['image_stream.jpg', 'image_stream.jpg?_t=x', 'image_stream.jpg?_t=-4', 'https://elsewhere/?_t=5', 'http://[', undefined]) {
    assert.equal(announced(text, 'http://pi:3000/'), null, String(text));
  }
});

test('the time of exposure is read to the microsecond', () => {
  assert.equal(exposureOf('1763692800.123456'), 1763692800123456);
  assert.equal(exposureOf('1763692800.5'), 1763692800500000);
  assert.equal(exposureOf('yesterday'), null);
  assert.equal(exposureOf(null), null);
});

test('the id is read from the tag, which a proxy may have made weak', () => {
  assert.equal(idOf('"1763692800123456"'), 1763692800123456);
  assert.equal(idOf('W/"17"'), 17);
  assert.equal(idOf('"17-320"'), null);
  assert.equal(idOf(null), null);
});

test('one is loaded, the newest waiting one wins, the others are forgotten', async () => {
  const { loader, loads, shown } = setUp();
  for (const id of [1, 2, 3, 4]) loader.announce(picture(id));
  assert.deepEqual(loads.map(({ id }) => id), [1]);
  loads[0].done();
  await settle();
  assert.deepEqual(loads.map(({ id }) => id), [1, 4]);
  loads[1].done();
  await settle();
  assert.deepEqual(shown, [1, 4]);
  assert.ok(loads.every(({ closed }) => closed === 1), 'each bitmap is freed');
});

test('an older announcement, and an older picture in the answer, are not shown', async () => {
  const { loader, loads, shown } = setUp();
  loader.announce(picture(5));
  loads[0].done();
  await settle();
  loader.announce(picture(4));
  assert.equal(loads.length, 1);
  loader.announce(picture(6));
  loads[1].done(3);
  await settle();
  assert.deepEqual(shown, [5]);
});

test('the answer with a newer picture than asked for counts as that one', async () => {
  const { loader, loads, shown } = setUp();
  loader.announce(picture(5));
  loads[0].done(9);
  await settle();
  loader.announce(picture(8));
  assert.equal(loads.length, 1);
  assert.deepEqual(shown, [9]);
});

test('a failed load is survived, and tried once more when nothing newer came', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { loader, loads, shown } = setUp({ retry: 1_000 });
  loader.announce(picture(1));
  loads[0].fail();
  await settle();
  t.mock.timers.tick(1_000);
  assert.deepEqual(loads.map(({ id }) => id), [1, 1]);
  loads[1].fail();
  await settle();
  t.mock.timers.tick(10_000);
  assert.equal(loads.length, 2);
  loader.announce(picture(2));
  loads[2].done();
  await settle();
  assert.deepEqual(shown, [2]);
});

test('stopped, it does not try again what failed before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { loader, loads } = setUp({ retry: 1_000 });
  loader.announce(picture(1));
  loads[0].fail();
  await settle();
  loader.stop();
  t.mock.timers.tick(10_000);
  assert.equal(loads.length, 1);
});

test('a load that hangs is given up, and what it brings too late is freed and not shown', async () => {
  const { loader, loads, shown } = setUp({ timeout: 5 });
  loader.announce(picture(1));
  loader.announce(picture(2));
  await new Promise((resolve) => loads[0].signal.addEventListener('abort', resolve));
  await settle();
  assert.deepEqual(loads.map(({ id }) => id), [1, 2]);
  loads[0].done();
  loads[1].done();
  await settle();
  assert.deepEqual(shown, [2]);
  assert.equal(loads[0].closed, 1);
});

test('stopped, it shows nothing more of what was under way', async () => {
  const { loader, loads, shown } = setUp();
  loader.announce(picture(1));
  loader.announce(picture(2));
  loader.stop();
  assert.ok(loads[0].signal.aborted);
  loads[0].done();
  await settle();
  assert.equal(loads.length, 1);
  assert.deepEqual(shown, []);
  loader.announce(picture(3));
  loads[1].done();
  await settle();
  assert.deepEqual(shown, [3]);
});

test('a server that starts again may count from lower numbers', async () => {
  const { loader, loads, shown } = setUp();
  loader.announce(picture(900));
  loads[0].done();
  await settle();
  loader.restart();
  loader.announce(picture(7));
  loads[1].done();
  await settle();
  assert.deepEqual(shown, [900, 7]);
});

test('id 0 asks for the newest, once at a time', async () => {
  const { loader, loads, shown } = setUp();
  loader.announce({ id: 0, url: 'http://host/image_stream.jpg' });
  loader.announce({ id: 0, url: 'http://host/image_stream.jpg' });
  loads[0].done(11);
  await settle();
  assert.equal(loads.length, 1);
  assert.deepEqual(shown, [11]);
  assert.equal(loader.newest, 11);
});
