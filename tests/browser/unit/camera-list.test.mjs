import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CameraList } from '../../../public/camera-list.js';

const TWO = [{ camera: 'tank' }, { camera: 'door' }];

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A list whose answers the test gives, on a clock that the test moves. */
function setUp(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const loads = [];
  const heard = [];
  const list = new CameraList(() => new Promise((resolve, reject) => loads.push({ resolve, reject })));
  list.addEventListener('list', ({ detail }) => heard.push(detail));
  list.addEventListener('fail', () => heard.push('fail'));
  return { list, loads, heard, pass: (ms) => t.mock.timers.tick(ms) };
}

test('what several ask for at once is asked once', async (t) => {
  const { list, loads, heard, pass } = setUp(t);
  list.ask();
  list.ask();
  pass(1_000);
  assert.equal(loads.length, 1);
  loads[0].resolve(TWO);
  await settle();
  pass(10_000);
  assert.deepEqual(heard, [TWO]);
  assert.equal(loads.length, 1);
});

test('asked while an answer is under way, it asks once more', async (t) => {
  const { list, loads, heard, pass } = setUp(t);
  list.ask(0);
  pass(0);
  list.ask();
  list.ask();
  loads[0].resolve([]);
  await settle();
  pass(1_000);
  assert.equal(loads.length, 2);
  loads[1].resolve(TWO);
  await settle();
  pass(10_000);
  assert.deepEqual(heard, [[], TWO]);
  assert.equal(loads.length, 2);
});

test('without an answer it asks until there is one, ever more seldom', async (t) => {
  const { list, loads, heard, pass } = setUp(t);
  list.ask(0);
  pass(0);
  for (const wait of [500, 1_000, 2_000, 4_000, 5_000, 5_000]) {
    const count = loads.length;
    loads.at(-1).reject(new Error('no'));
    await settle();
    pass(wait - 1);
    await settle();
    assert.equal(loads.length, count);
    pass(1);
    await settle();
    assert.equal(loads.length, count + 1);
  }
  loads.at(-1).resolve(TWO);
  await settle();
  assert.deepEqual(heard, [...Array(6).fill('fail'), TWO]);
});

test('another answer than the list is told by its status', async (t) => {
  const { list, loads, pass } = setUp(t);
  const statuses = [];
  list.addEventListener('fail', ({ detail }) => statuses.push(detail.status));
  list.ask(0);
  pass(0);
  loads[0].reject(new TypeError('no'));
  await settle();
  pass(500);
  await settle();
  loads[1].reject(Object.assign(new Error('no'), { status: 401 }));
  await settle();
  assert.deepEqual(statuses, [0, 401]);
});
