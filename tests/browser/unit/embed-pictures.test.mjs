import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Pictures } from '../../../embed/pictures.js';

/** Questions to the server that nobody has answered yet. */
let asked;
let shown;
let missed;
let pause;
let pictures;

beforeEach(() => {
  [asked, shown, missed, pause] = [[], [], 0, 0];
  globalThis.fetch = (url, { signal }) => new Promise((resolve, reject) => {
    asked.push({ url, answer: resolve });
    signal.addEventListener('abort', () => reject(signal.reason));
  });
  globalThis.createImageBitmap = async (blob) => blob;
  pictures = new Pictures((bitmap, taken) => { shown.push([bitmap, taken]); return pause; }, () => { missed += 1; });
});

const picture = (id, { ok = true, etag = `"${id}"` } = {}) => ({
  ok, headers: new Headers({ ...(etag && { etag }), 'x-timestamp': `${id / 10}` }), blob: async () => id,
});
/** All that can happen without a timer has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const answer = async (...given) => {
  asked.shift().answer(picture(...given));
  await settled();
};

test('one is asked for at a time, and then the newest', async () => {
  for (const id of [10, 20, 30]) pictures.announce(id, `/${id}`);
  assert.deepEqual(asked.map(({ url }) => url), ['/10']);
  await answer(10);
  assert.deepEqual(asked.map(({ url }) => url), ['/30']);
  await answer(30);
  assert.deepEqual([shown, pictures.newest, asked.length], [[[10, 1_000], [30, 3_000]], 30, 0]);
});

test('an older one is never shown after a newer, whatever is announced or answered', async () => {
  pictures.announce(20, '/20');
  // The picture had gone: the answer is the newest one.
  await answer(25);
  assert.equal(pictures.newest, 25);
  pictures.announce(22, '/22');
  assert.equal(asked.length, 0);
  pictures.announce(40, '/40');
  await answer(24);
  assert.deepEqual([shown.map(([id]) => id), pictures.newest, missed], [[25], 25, 0]);
});

test('what is announced again while it is under way is asked for once, and once more if it failed', async () => {
  pictures.announce(1, '/1');
  pictures.announce(1, '/1');
  await answer(1, { ok: false });
  assert.equal(asked.length, 0);
  pictures.announce(1, '/1');
  pictures.announce(1, '/1');
  // The address may be that of the newest picture.
  await answer(5);
  assert.deepEqual([asked.length, shown.length, missed], [0, 1, 1]);
});

test('without an ETag it is what was announced', async () => {
  pictures.announce(7, '/7');
  await answer(7, { etag: null });
  assert.equal(pictures.newest, 7);
});

test('one that is not to be had is told, and the next is asked for', async () => {
  pictures.announce(1, '/1');
  pictures.announce(2, '/2');
  await answer(1, { ok: false });
  assert.deepEqual([missed, shown], [1, []]);
  await answer(2);
  assert.equal(shown.length, 1);
});

test('what can’t be decoded is not to be had', async () => {
  globalThis.createImageBitmap = async () => { throw new Error('no picture'); };
  pictures.announce(1, '/1');
  await answer(1);
  assert.deepEqual([missed, shown, pictures.newest], [1, [], 0]);
});

test('stopped, it shows nothing of what was under way, and takes that for no failure', async () => {
  pictures.announce(1, '/1');
  pictures.announce(2, '/2');
  pictures.stop();
  await settled();
  assert.deepEqual([missed, shown, asked.length], [0, [], 1]);
  pictures.announce(3, '/3');
  asked.shift();
  await answer(3);
  assert.equal(pictures.newest, 3);
});

test('stopped while the picture was decoded, it does not show it', async () => {
  let decoded;
  globalThis.createImageBitmap = () => new Promise((resolve) => { decoded = resolve; });
  pictures.announce(1, '/1');
  await answer(1);
  pictures.stop();
  decoded(1);
  await settled();
  assert.deepEqual([missed, shown, pictures.newest], [0, [], 0]);
});

test('started anew, it takes lower numbers again', async () => {
  pictures.announce(50, '/50');
  await answer(50);
  pictures.restart();
  pictures.announce(3, '/3');
  await answer(3);
  assert.deepEqual([shown.map(([id]) => id), pictures.newest], [[50, 3], 3]);
});

test('it waits for as long as it is told before it asks for the next', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  pause = 500;
  pictures.announce(1, '/1');
  pictures.announce(2, '/2');
  await answer(1);
  t.mock.timers.tick(499);
  await settled();
  assert.equal(asked.length, 0);
  pictures.announce(3, '/3');
  t.mock.timers.tick(1);
  await settled();
  assert.deepEqual(asked.map(({ url }) => url), ['/3']);
});

test('an answer that takes too long is given up', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  pictures.announce(1, '/1');
  t.mock.timers.tick(20_000);
  await settled();
  assert.equal(missed, 1);
});
