import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choose } from '../../../public/transport.js';

const auto = { wanted: 'auto', interval: 100, now: 'url' };

test('what the configuration wants is taken, whatever the line is like', () => {
  for (const trip of [null, 1, 1_000]) {
    assert.equal(choose({ ...auto, wanted: 'ws', trip }), 'ws');
    assert.equal(choose({ ...auto, wanted: 'url', trip, now: 'ws' }), 'url');
  }
});

test('a server that says nothing of it, or something unknown, gets what all of them have', () => {
  for (const wanted of [undefined, 'pigeon']) assert.equal(choose({ ...auto, wanted, trip: 1_000 }), 'url');
});

test('a round trip of more than half an interval takes the WebSocket, but within limits', () => {
  const limits = [[20, 20], [40, 20], [100, 50], [200, 100], [1_000, 100], [60_000, 100], [0, 20]];
  for (const [interval, limit] of limits) {
    assert.equal(choose({ ...auto, interval, trip: limit }), 'url', `${interval}`);
    assert.equal(choose({ ...auto, interval, trip: limit + 1 }), 'ws', `${interval}`);
  }
});

test('a round trip about the limit changes nothing, an unknown one neither', () => {
  for (const now of ['url', 'ws']) {
    for (const trip of [null, 25, 40, 50]) assert.equal(choose({ ...auto, trip, now }), now, `${trip}`);
    assert.equal(choose({ ...auto, trip: 24, now }), 'url');
    assert.equal(choose({ ...auto, trip: 51, now }), 'ws');
  }
});
