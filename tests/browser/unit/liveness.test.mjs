import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Liveness } from '../../../public/liveness.js';

const AHEAD = 50_000;

/** Ten pictures, `gap` apart, each `late` ms after its exposure, on a server whose clock is ahead. */
function watching({ gap = 100, late = 40, offset = AHEAD } = {}) {
  const live = new Liveness();
  let now = 1_000;
  for (let i = 0; i < 10; i += 1) {
    now += gap;
    live.shown(now + AHEAD - late, now, offset, now);
  }
  return { live, now };
}

test('without a picture nothing is live', () => {
  const live = new Liveness();
  assert.equal(live.verdict(5, null, 100), 'none');
  assert.equal(live.age(5, null), null);
  assert.equal(live.delay, null);
});

test('pace and delay are those of the last pictures', () => {
  const { live } = watching({ gap: 50, late: 40 });
  assert.equal(live.gap, 50);
  assert.equal(Math.round(live.delay), 40);
});

test('live, then late, then stalled, as the picture gets older', () => {
  const { live, now } = watching();
  const verdict = (later) => live.verdict(now + later, AHEAD, 100, now + later);
  assert.equal(verdict(0), 'live');
  assert.equal(verdict(1_400), 'live');
  assert.equal(verdict(1_500), 'late');
  assert.equal(verdict(3_900), 'late');
  assert.equal(verdict(4_100), 'stalled');
});

test('a picture that comes in late is not live, however new it is on the screen', () => {
  const { live, now } = watching({ late: 2_000 });
  assert.equal(live.verdict(now, AHEAD, 100, now), 'late');
});

test('a camera that takes a picture each minute is live for three of them', () => {
  const live = new Liveness();
  live.shown(AHEAD, 0, AHEAD, 0);
  assert.equal(live.verdict(170_000, AHEAD, 60_000, 170_000), 'live');
  assert.equal(live.verdict(190_000, AHEAD, 60_000, 190_000), 'late');
});

test('a camera slower than it is set to is judged by the pace that it keeps', () => {
  const { live, now } = watching({ gap: 1_000 });
  assert.equal(live.verdict(now + 2_500, AHEAD, 100, now + 2_500), 'live');
});

test('a machine that slept does not take the last picture for a live one', () => {
  const { live, now } = watching();
  assert.equal(live.verdict(now + 10, AHEAD, 100, now + 60_000), 'stalled');
});

test('without the server\'s clock the time on the screen decides', () => {
  const { live, now } = watching({ offset: null });
  assert.equal(live.delay, null);
  assert.equal(live.verdict(now + 100, null, 100, now + 100), 'live');
  assert.equal(live.verdict(now + 9_000, null, 100, now + 9_000), 'stalled');
});

test('cleared, it knows nothing', () => {
  const { live, now } = watching();
  live.clear();
  assert.equal(live.verdict(now, AHEAD, 100, now), 'none');
  assert.equal(live.gap, null);
});

test('set to another interval, it forgets the pace and keeps the picture', () => {
  const { live, now } = watching({ gap: 1_000 });
  live.paced(100);
  assert.equal(live.gap, null);
  assert.equal(live.age(now + 10, AHEAD, now + 10), 50);
  assert.equal(Math.round(live.delay), 40);
  live.shown(now + 60 + AHEAD, now + 100, AHEAD, now + 100);
  live.paced(100);
  live.shown(now + 160 + AHEAD, now + 200, AHEAD, now + 200);
  assert.equal(live.gap, 100);
});
