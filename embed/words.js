/** What the element says. A site in another language puts its own in. */
export const texts = {
  picture: 'Live picture', pause: 'Pause', play: 'Play', wave: 'Wave',
  connecting: 'Connecting…', starting: 'The camera wakes up…', lost: 'Connection lost, trying again…',
  paused: 'Paused', ready: 'Press play to see the camera', still: 'Picture of {}',
  recorded: 'Recorded, {}', delayed: '{} s ago', rests: 'The camera rests', until: 'The camera rests until {}',
  failed: 'The camera can’t run: {}', waves: 'Somebody waves', waved: 'You waved', wait: 'Wait {} s',
  src: 'No camera: src has to be its address', insecure: 'A page by https can’t show a camera by http',
  unreachable: 'The camera can’t be reached, trying again…', missed: 'The picture can’t be had, trying again…',
  refused: '{} may not show this camera: its owner has to name it in origins',
  socket: 'Something on the way lets no WebSocket through',
};

export const fill = (text, value) => text.replace('{}', value);

const time = (ms) => new Date(ms).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' });

/** What is to be said about what is seen; nothing where that is the live picture. */
export function words({ problem, still, playing, shown, connected, tried, fresh, state }) {
  if (problem) return problem;
  if (still) return fill(texts.still, time(still));
  if (!playing) return shown ? texts.paused : texts.ready;
  if (!connected || !state) return tried ? texts.lost : texts.connecting;
  const { recorded, blocked, delay_ms: delay } = state;
  if (recorded) return fill(texts.recorded, time(recorded.from));
  if (blocked) return blocked.until ? fill(texts.until, time(blocked.until)) : texts.rests;
  if (state.state === 'backoff') return fill(texts.failed, state.reason);
  if (!fresh) return texts.starting;
  return delay ? fill(texts.delayed, Math.round(delay / 1_000)) : '';
}
