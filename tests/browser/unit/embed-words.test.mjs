import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fill, texts, words } from '../../../embed/words.js';

const AT = new Date(2026, 10, 12, 14, 3).getTime();
const LIVE = { state: 'live', recorded: null, blocked: null, delay_ms: 0, reason: null };
const say = (given = {}, state = {}) => words({
  problem: '', still: 0, playing: true, shown: 5, connected: true, tried: false, fresh: true, state: { ...LIVE, ...state }, ...given,
});

test('a live picture needs no words', () => {
  assert.equal(say(), '');
});

test('what is not live is said', () => {
  assert.match(say({}, { recorded: { from: AT, to: AT + 9_000 } }), /^Recorded, .*2026.*03/);
  assert.equal(say({}, { delay_ms: 30_400 }), '30 s ago');
  assert.equal(say({ playing: false }), texts.paused);
  assert.equal(say({ playing: false, shown: 0 }), texts.ready);
  assert.match(say({ playing: false, still: AT }), /^Picture of .*2026.*03/);
});

test('why there is no picture is said', () => {
  assert.equal(say({ fresh: false }, { state: 'starting' }), texts.starting);
  assert.equal(say({ fresh: false }, { state: 'backoff', reason: 'no cable' }), fill(texts.failed, 'no cable'));
  assert.equal(say({ fresh: false }, { blocked: { by: 'switch', until: null } }), texts.rests);
  assert.match(say({ fresh: false }, { blocked: { by: 'quiet', until: AT } }), /^The camera rests until .*03/);
});

test('a connection that was there is lost, one that never was is awaited', () => {
  assert.equal(say({ connected: false }), texts.connecting);
  assert.equal(say({ connected: false, tried: true }), texts.lost);
  assert.equal(say({ state: null }), texts.connecting);
});

test('a problem is said before all else, and recorded pictures before why the camera is off', () => {
  assert.equal(say({ problem: 'It burns', playing: false }, { recorded: { from: AT, to: AT } }), 'It burns');
  assert.match(say({}, { recorded: { from: AT, to: AT }, blocked: { by: 'switch', until: null }, state: 'backoff' }), /^Recorded/);
  assert.match(say({ fresh: true }, { state: 'backoff', reason: 'no cable' }), /no cable/);
});
