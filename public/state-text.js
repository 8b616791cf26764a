// What is going on, in words. Pure: the same input says the same.

import { blocked, delayed, recorded } from './not-now.js';
import { sentence } from './words.js';

const words = (key, title, ...sentences) => ({ key, title, detail: sentences.filter(Boolean).join(' ') });

/**
 * `{key, title, detail, label, why}` for the camera view; `label`, where there is one, stands on the picture, `why` beside
 * the title. No number that changes by itself is in it: it is read aloud.
 *
 * - `session`: `{wish, connected, known, refused, strange, problem, state}`, see session.js
 * - `verdict`: of the picture on the screen, see liveness.js
 * - `behind`: a newer picture than that was announced
 * - `resumed`: pictures have been asked for only just now
 */
export function describe({ session, verdict, behind, resumed = false }) {
  const { state } = session;
  if (session.strange) {
    return words('gone', 'Not signed in', 'This browser may not look at this camera, or not any more.');
  }
  if (session.refused) {
    return words('gone', 'No such camera', 'The server knows no camera of this name. It may have been renamed or removed.');
  }
  if (!session.connected) {
    if (!session.known) return words('connecting', 'Connecting', 'Waiting for an answer from the server.');
    if (session.wish === 'watch') return words('lost', 'Connection lost', 'Reconnecting. The picture comes back by itself.');
    return words('lost', 'Connection lost', 'Reconnecting.');
  }
  if (!state) return words('connecting', 'Connecting', 'Waiting for an answer from the server.');
  if (session.wish === 'watch') return watched({ state, verdict, behind, resumed });
  if (session.problem) return words('failed', 'Can’t start', sentence(session.problem));
  if (session.wish === 'stop' && state.session) {
    if (state.viewers > 0) return words('stopped', 'Stopped for you', 'Somebody else is still watching, so the camera stays on.');
    return words('stopped', 'Stopped', 'The camera closes in a moment.');
  }
  return words('off', 'Off', 'The camera is closed. It opens only while somebody watches.');
}

function watched({ state, verdict, behind, resumed }) {
  const seen = verdict !== 'none';
  const past = seen && recorded(state);
  if (past) return past;
  const off = verdict !== 'live' && blocked(state);
  if (off) return off;
  if (state.state === 'backoff') {
    const reason = sentence(state.reason) || 'The camera gave no reason.';
    return words('failed', seen ? 'Interrupted' : 'Can’t start', reason, sentence(state.hint));
  }
  switch (verdict) {
    case 'live':
      return { ...words('live', 'Live', delayed(state)), label: delayed(state) };
    case 'late':
      return words('late', 'Late', behind ? 'The connection is slow.' : 'Waiting for the camera’s next picture.');
    case 'stalled':
      if (state.state === 'starting') return words('starting', 'Starting again', 'Waiting for the first picture.');
      if (resumed) return words('starting', 'Coming back', 'Waiting for the next picture.');
      return words('stalled', 'Stalled', behind ? 'No new picture gets through; the connection may be too slow.' : 'No new picture comes from the camera.');
    default:
      return words('starting', 'Starting', state.state === 'live' ? 'Waiting for the first picture.' : 'The camera is opening.');
  }
}

/** "12 s", "3 min", "2 h", "4 days". */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** "9.9 fps", "24 fps", "1 picture in 5 s" from the milliseconds between two pictures. */
export function pace(gap) {
  if (gap === null || gap <= 0) return '';
  const fps = 1000 / gap;
  if (fps >= 9.95) return `${Math.round(fps)} fps`;
  if (fps >= 0.95) return `${fps.toFixed(1)} fps`;
  return `1 picture in ${duration(gap + 500)}`;
}

/** "48 ms delay", "1.2 s delay"; empty while unknown. */
export function delay(ms) {
  if (ms === null) return '';
  const positive = Math.max(0, ms);
  return positive < 1000 ? `${Math.round(positive)} ms delay` : `${(positive / 1000).toFixed(1)} s delay`;
}

/** How pictures come, `url` or `ws`, and the round trip in milliseconds where it is known. */
export function carried(way, trip) {
  const how = way === 'ws' ? 'Pictures come over a WebSocket' : 'Pictures come from an address each';
  return trip === null ? how : `${how}; a round trip takes ${Math.max(1, Math.round(trip))} ms`;
}

export const viewers = (count) => (count === 1 ? '1 viewer' : `${count} viewers`);

/** One line for a tile of the grid; `connection` is `on`, `lost`, or `shut` or `refused` by the server. */
export function brief(state, connection = 'on') {
  if (connection === 'lost') return 'Connection lost, reconnecting';
  if (connection === 'shut') return 'Reconnecting';
  if (connection === 'refused') return 'No such camera';
  if (state.recorded) return 'Recorded';
  if (state.blocked) return `Off: ${state.reason || 'it may not run now'}`;
  switch (state.state) {
    case 'live':
      return 'Live';
    case 'lingering':
      return 'Closing';
    case 'starting':
      return 'Starting';
    case 'backoff':
      return sentence(state.reason) || 'Can’t start.';
    default:
      return 'Off';
  }
}

/** "aquarium-2026-01-31_14-03-22.jpg", named after the time of exposure (local time). */
export function fileName(title, exposed) {
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '') || 'picture';
  const at = new Date(exposed);
  const two = (number) => String(number).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${name}-${day}_${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join('-')}.jpg`;
}
