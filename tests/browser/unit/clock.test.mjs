import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bestOffset, localNow, ServerClock } from '../../../public/clock.js';

test('the quickest answer decides the offset', () => {
  const best = bestOffset([
    { sent: 0, server: 1_400, received: 400 },
    { sent: 1_000, server: 2_010, received: 1_020 },
    { sent: 2_000, server: 3_100, received: 2_100 },
  ]);
  assert.deepEqual(best, { trip: 20, offset: 1_000 });
});

test('answers that are no time say nothing', () => {
  assert.equal(bestOffset([]), null);
  assert.equal(bestOffset([{ sent: 0, server: undefined, received: 4 }, { sent: 9, server: 1, received: 4 }]), null);
});

test('a server an hour ahead is measured to within the round trip', async () => {
  const clock = new ServerClock(async () => localNow() + 3_600_000);
  assert.deepEqual([clock.offset, clock.trip], [null, null]);
  await clock.refresh();
  assert.ok(clock.trip >= 0, `round trip ${clock.trip}`);
  assert.ok(Math.abs(clock.offset - 3_600_000) < 1_000, `offset ${clock.offset}`);
});

test('it asks again only when the answer is old, and a failure keeps what is known', async () => {
  let asked = 0;
  const clock = new ServerClock(async () => {
    asked += 1;
    if (asked > 5) throw new Error('gone');
    return localNow();
  });
  await clock.refresh();
  await clock.refresh();
  assert.equal(asked, 5);
  await clock.refresh(0);
  assert.equal(asked, 6);
  assert.notEqual(clock.offset, null);
  clock.forget();
  assert.equal(clock.offset, null);
});
