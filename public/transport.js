// How pictures get here: each from its address (`url`), or over a WebSocket (`ws`). An address costs a round trip from
// the announcement to the picture that a WebSocket saves; but a cache on the way can answer it, and any proxy lets it through.

const LONG_MS = 100;
const SHORT_MS = 20;

/**
 * `url` or `ws`. What is `wanted` by the configuration decides; where that is `auto`, the round trip `trip` against the
 * time from one picture to the next, both in milliseconds. `trip` is null while unknown. What is in use `now` stays
 * until the round trip is clearly on the other side.
 */
export function choose({ wanted, trip, interval, now }) {
  if (wanted === 'ws') return 'ws';
  if (wanted !== 'auto') return 'url';
  if (trip === null) return now;
  // Below the least of these a busy machine's own delays would decide.
  const long = Math.min(Math.max(interval / 2, SHORT_MS), LONG_MS);
  if (trip > long) return 'ws';
  return trip < long / 2 ? 'url' : now;
}
