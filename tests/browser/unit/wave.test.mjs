import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../../../public/wave.js';

test('who waves is told that it was seen, or how long to wait in whole seconds, or why not', () => {
  assert.equal(outcome({ ok: true }), 'You waved');
  assert.equal(outcome({ ok: false, error: 'you have waved just now: wait 3 s', retry_in_ms: 2_001 }), 'Wait 3 s');
  assert.equal(outcome({ ok: false, error: 'you have waved just now: wait 1 s', retry_in_ms: 1 }), 'Wait 1 s');
  assert.equal(outcome({ ok: false, error: 'no' }), 'no');
  for (const none of [null, undefined, {}]) assert.match(outcome(none), /Nobody answers/);
});
