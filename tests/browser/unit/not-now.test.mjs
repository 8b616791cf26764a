import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blocked, delayed, lag, moment, recorded } from '../../../public/not-now.js';
import { brief, describe } from '../../../public/state-text.js';

const NOON = new Date(2026, 10, 12, 14, 3).getTime();
const LATER = new Date(2026, 10, 20).getTime();
const NEXT_YEAR = new Date(2027, 0, 2).getTime();
const STATE = { camera: 'tank', title: 'Aquarium', state: 'idle', session: true, viewers: 1, interval_ms: 100, reason: null, hint: null };

const say = (state, verdict) =>
  describe({
    session: { wish: 'watch', connected: true, known: true, refused: false, problem: null, state: { ...STATE, ...state } },
    verdict,
    behind: false,
  });

test('a moment has its year only where it is another one', () => {
  assert.equal(moment(NOON, LATER, 'en-GB'), '12 Nov, 14:03');
  assert.equal(moment(NOON, NEXT_YEAR, 'en-GB'), '12 Nov 2026, 14:03');
});

test('recorded pictures are never called live, and say when they were taken', () => {
  const state = { recorded: { from: NOON - 5000, to: NOON }, state: 'live' };
  assert.equal(recorded({ ...STATE, ...state }, LATER, 'en-GB').label, 'Recorded 12 Nov, 14:03');
  for (const verdict of ['live', 'late', 'stalled']) {
    const text = say(state, verdict);
    assert.deepEqual([text.key, text.title], ['recorded', 'Recorded']);
    assert.match(text.label, /^Recorded .*\d/);
    assert.ok(text.detail.startsWith(text.label));
  }
  assert.equal(brief({ ...STATE, ...state }), 'Recorded');
  assert.equal(recorded({ ...STATE, recorded: null }), null);
});

test('why a camera may not run is said, with or without a picture', () => {
  const state = { blocked: { by: 'quiet', until: NOON }, reason: 'quiet hours until 06:30' };
  for (const verdict of ['none', 'stalled']) {
    const { key, title, detail } = say(state, verdict);
    assert.deepEqual([key, title, detail], ['blocked', 'Off', 'Quiet hours until 06:30.']);
  }
  assert.match(say({ ...state, recorded: { from: NOON, to: NOON } }, 'live').detail, /Quiet hours until 06:30\.$/);
  assert.equal(brief({ ...STATE, ...state }), 'Off: quiet hours until 06:30');
  assert.match(blocked({ blocked: { by: 'switch', until: null } }).detail, /Switched off/);
  assert.equal(blocked(STATE), null);
});

test('a delay is told on the picture', () => {
  const { key, label } = say({ state: 'live', delay_ms: 90_000 }, 'live');
  assert.deepEqual([key, label], ['live', 'Shown 1 min 30 s later']);
  assert.equal(say({ state: 'live', delay_ms: 0 }, 'live').label, '');
  assert.deepEqual([500, 1000, 120_000].map(lag), ['0.5 s', '1 s', '2 min']);
  assert.equal(delayed(undefined), '');
});
