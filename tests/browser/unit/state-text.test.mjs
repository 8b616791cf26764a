import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brief, carried, delay, describe, duration, fileName, pace, viewers } from '../../../public/state-text.js';

const STATE = { camera: 'tank', title: 'Aquarium', state: 'idle', session: false, reason: null, hint: null, viewers: 0, interval_ms: 100 };

function say({ state, session, verdict = 'none', behind = false, resumed = false }) {
  return describe({
    session: { wish: 'watch', connected: true, known: true, refused: false, problem: null, state: { ...STATE, session: true, ...state }, ...session },
    verdict,
    behind,
    resumed,
  });
}

test('off, and why', () => {
  const { key, title, detail } = say({ session: { wish: 'none' }, state: { session: false } });
  assert.deepEqual([key, title], ['off', 'Off']);
  assert.match(detail, /closed/);
});

test('starting until the first picture', () => {
  assert.equal(say({ state: { state: 'starting' } }).key, 'starting');
  assert.match(say({ state: { state: 'live' } }).detail, /first picture/);
});

test('live only with a live picture, whatever the server says', () => {
  assert.equal(say({ state: { state: 'live' }, verdict: 'live' }).key, 'live');
  assert.equal(say({ state: { state: 'live' }, verdict: 'late' }).key, 'late');
  assert.equal(say({ state: { state: 'live' }, verdict: 'stalled' }).key, 'stalled');
});

test('a slow connection is told from a slow camera', () => {
  assert.match(say({ state: { state: 'live' }, verdict: 'stalled', behind: true }).detail, /connection/);
  assert.match(say({ state: { state: 'live' }, verdict: 'stalled' }).detail, /camera/);
});

test('what comes back after a pause has not stalled', () => {
  assert.equal(say({ state: { state: 'live' }, verdict: 'stalled', resumed: true }).key, 'starting');
});

test('a camera that can\'t start says why and what to do', () => {
  const told = say({ state: { state: 'backoff', reason: 'camera is used by another program: rpicam-hello (pid 812)', hint: 'end that program' } });
  assert.equal(told.key, 'failed');
  assert.equal(told.detail, 'Camera is used by another program: rpicam-hello (pid 812). End that program.');
  assert.equal(say({ state: { state: 'backoff', reason: 'no picture for 3 s' }, verdict: 'stalled' }).title, 'Interrupted');
  assert.ok(say({ state: { state: 'backoff' } }).detail);
});

test('stopped by me while others watch', () => {
  assert.equal(say({ session: { wish: 'stop' }, state: { state: 'live', viewers: 2 } }).key, 'stopped');
  assert.match(say({ session: { wish: 'stop' }, state: { state: 'lingering' } }).detail, /closes/);
  assert.equal(say({ session: { wish: 'stop' }, state: { session: false } }).key, 'off');
});

test('a lost connection is told from one that never was', () => {
  assert.equal(say({ session: { connected: false, known: false, state: null } }).key, 'connecting');
  assert.equal(say({ session: { connected: false }, verdict: 'live' }).key, 'lost');
  assert.equal(say({ session: { refused: true, connected: false } }).key, 'gone');
});

test('what is read aloud holds no number that changes by itself', () => {
  const a = say({ state: { state: 'live', fps: 9.9, viewers: 1, retry_in_ms: 900, now: 1 }, verdict: 'live' });
  const b = say({ state: { state: 'live', fps: 3.1, viewers: 7, retry_in_ms: 100, now: 2 }, verdict: 'live' });
  assert.deepEqual(a, b);
});

test('numbers for people', () => {
  assert.deepEqual([0, 12_400, 200_000, 7_300_000, 400_000_000].map(duration), ['0 s', '12 s', '3 min', '2 h', '4 days']);
  assert.deepEqual([null, 101, 33.4, 1_000, 5_000].map(pace), ['', '9.9 fps', '30 fps', '1.0 fps', '1 picture in 5 s']);
  assert.deepEqual([null, -3, 48.4, 1_240].map(delay), ['', '0 ms delay', '48 ms delay', '1.2 s delay']);
  assert.deepEqual([1, 2].map(viewers), ['1 viewer', '2 viewers']);
});

test('a tile says its state in a word, or what is wrong', () => {
  assert.deepEqual(['idle', 'starting', 'live', 'lingering'].map((state) => brief({ state })), ['Off', 'Starting', 'Live', 'Closing']);
  assert.equal(brief({ state: 'backoff', reason: 'no camera found' }), 'No camera found.');
});

test('a saved picture is named after camera and exposure', () => {
  const exposed = new Date(2026, 0, 31, 14, 3, 22).getTime();
  assert.equal(fileName('Front door', exposed), 'front-door-2026-01-31_14-03-22.jpg');
  assert.equal(fileName('Küche/1', exposed), 'küche-1-2026-01-31_14-03-22.jpg');
  assert.equal(fileName('…', exposed), 'picture-2026-01-31_14-03-22.jpg');
});

test('a tile without a connection says why', () => {
  assert.equal(brief(STATE, 'on'), 'Off');
  assert.match(brief(STATE, 'lost'), /^Connection lost/);
  assert.equal(brief(STATE, 'refused'), 'No such camera');
  assert.doesNotMatch(brief(STATE, 'shut'), /lost/);
});

test('how pictures come', () => {
  assert.equal(carried('url', null), 'Pictures come from an address each');
  assert.equal(carried('ws', 301.4), 'Pictures come over a WebSocket; a round trip takes 301 ms');
  assert.equal(carried('url', 0.2), 'Pictures come from an address each; a round trip takes 1 ms');
});
