import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Session } from '../../../public/session.js';

const OFF = { session: false, state: 'idle' };
const ON = { session: true, state: 'live' };
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A socket that remembers what was sent, and answers when the test says so. */
class Socket {
  active = true;
  sent = [];
  answers = [];
  #handlers = new Map();

  constructor(auth) {
    this.auth = auth;
  }

  on(event, handler) {
    this.#handlers.set(event, handler);
  }

  hear(event, detail) {
    this.#handlers.get(event)(detail);
  }

  emit(event) {
    this.sent.push(event);
  }

  timeout() {
    return { emitWithAck: (event) => new Promise((resolve, reject) => {
      this.sent.push(event);
      this.answers.push({ resolve, reject });
    }) };
  }

  connect() {
    this.active = true;
  }

  disconnect() {
    this.active = false;
  }

  /** A connection, as the server sees it: the payload, then its first state. */
  arrive(state) {
    let payload;
    this.auth((given) => { payload = given; });
    this.hear('connect');
    if (state) this.hear('state', state);
    return payload;
  }
}

function setUp({ away = false } = {}) {
  let socket;
  const session = new Session((auth) => (socket = new Socket(auth)), { away });
  return { session, socket };
}

test('a page that nobody started asks for nothing', () => {
  const { session, socket } = setUp();
  assert.deepEqual(socket.arrive(OFF), {});
  assert.deepEqual(socket.sent, []);
  assert.equal(session.watching, false);
});

test('start is sent once, also when pressed twice', async () => {
  const { session, socket } = setUp();
  socket.arrive(OFF);
  session.start();
  session.start();
  assert.deepEqual(socket.sent, ['start-stream']);
  socket.answers[0].resolve({ ok: true, state: ON });
  await settle();
  assert.deepEqual(socket.sent, ['start-stream']);
  assert.equal(session.watching, true);
});

test('a session started by somebody else is watched, too', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  assert.equal(session.watching, true);
  assert.deepEqual(socket.sent, []);
});

test('a session of a camera that is off is none', () => {
  const { session, socket } = setUp();
  socket.arrive({ session: true, state: 'idle' });
  assert.equal(session.watching, false);
  session.start();
  assert.deepEqual(socket.sent, ['start-stream']);
});

test('start without a connection is kept for the next one', () => {
  const { session, socket } = setUp();
  session.start();
  assert.deepEqual(socket.sent, []);
  socket.arrive(OFF);
  assert.deepEqual(socket.sent, ['start-stream']);
});

test('stop opts out once, and is remembered over a reconnection', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  session.stop();
  session.stop();
  assert.deepEqual(socket.sent, ['stop-stream']);
  assert.equal(session.watching, false);
  socket.hear('disconnect', 'transport close');
  assert.deepEqual(socket.arrive(ON), { watch: false });
  assert.deepEqual(socket.sent, ['stop-stream']);
});

test('stop right after start wins, whatever the answer to start says', async () => {
  const { session, socket } = setUp();
  socket.arrive(OFF);
  session.start();
  session.stop();
  socket.answers[0].resolve({ ok: true, state: ON });
  await settle();
  assert.deepEqual(socket.sent, ['start-stream', 'stop-stream']);
  assert.equal(session.watching, false);
});

test('who watched goes on watching after the server started again', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  socket.hear('disconnect', 'transport close');
  assert.equal(session.watching, false);
  assert.deepEqual(socket.arrive(OFF), {});
  assert.deepEqual(socket.sent, ['start-stream']);
});

test('hidden, it opts out, and comes back when it is seen again', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  session.setAway(true);
  assert.deepEqual(socket.sent, ['stop-stream']);
  session.setAway(false);
  assert.deepEqual(socket.sent, ['stop-stream', 'start-stream']);
  assert.equal(session.watching, true);
});

test('hidden after a stop, it stays stopped when it is seen again', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  session.stop();
  session.setAway(true);
  session.setAway(false);
  assert.deepEqual(socket.sent, ['stop-stream']);
});

test('loaded hidden, it only observes until it is seen', () => {
  const { session, socket } = setUp({ away: true });
  assert.deepEqual(socket.arrive(ON), { watch: false });
  assert.equal(session.watching, false);
  session.setAway(false);
  assert.deepEqual(socket.sent, ['start-stream']);
});

test('loaded hidden and seen while the camera is off, it starts nothing', () => {
  const { session, socket } = setUp({ away: true });
  socket.arrive(OFF);
  session.setAway(false);
  assert.deepEqual(socket.sent, []);
});

test('pictures that are still under way after a stop are not passed on', () => {
  const { session, socket } = setUp();
  const seen = [];
  session.addEventListener('picture', ({ detail }) => seen.push(detail));
  socket.arrive(ON);
  socket.hear('liveStream', 'image_stream.jpg?_t=1');
  session.stop();
  socket.hear('liveStream', 'image_stream.jpg?_t=2');
  assert.deepEqual(seen, ['image_stream.jpg?_t=1']);
});

test('a refusal is said, and not repeated', async () => {
  const { session, socket } = setUp();
  socket.arrive(OFF);
  session.start();
  socket.answers[0].resolve({ ok: false, error: 'no', state: OFF });
  await settle();
  assert.equal(session.problem, 'no');
  assert.deepEqual(socket.sent, ['start-stream']);
});

test('closing says nothing more, opening connects again', () => {
  const { session, socket } = setUp();
  socket.arrive(ON);
  session.close();
  assert.equal(socket.active, false);
  assert.equal(session.connected, false);
  session.open();
  assert.equal(socket.active, true);
  assert.deepEqual(socket.sent, []);
});

test('a wave is asked for and answered, and those of others are told', async () => {
  const { session, socket } = setUp();
  socket.arrive(OFF);
  let seen = 0;
  session.addEventListener('wave', () => { seen += 1; });
  const answer = session.wave();
  assert.deepEqual([socket.sent, seen], [['wave'], 0]);
  socket.answers[0].resolve({ ok: true });
  assert.deepEqual(await answer, { ok: true });
  socket.hear('wave', { at: 1 });
  assert.equal(seen, 1);
});

test('what the server ends or refuses is told, what the line loses is not', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { session, socket } = setUp();
  let shut = 0;
  session.addEventListener('shut', () => { shut += 1; });
  socket.arrive(OFF);
  socket.hear('disconnect', 'transport close');
  socket.hear('connect_error', new Error('websocket error'));
  assert.equal(shut, 0);
  socket.arrive(OFF);
  socket.active = false;
  socket.hear('disconnect', 'io server disconnect');
  assert.equal(shut, 1);
  assert.equal(session.refused, false);
  socket.hear('connect_error', new Error('Invalid namespace'));
  assert.equal(shut, 2);
  assert.equal(session.refused, true);
  t.mock.timers.tick(5_000);
  assert.equal(socket.active, true);
  assert.deepEqual(socket.sent, []);
});

test('a server that does not know any more who this is says so, and is asked again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { session, socket } = setUp();
  let strange = 0;
  session.addEventListener('strange', () => { strange += 1; });
  socket.arrive(ON);
  socket.active = false;
  socket.hear('disconnect', 'io server disconnect');
  assert.equal(strange, 0);
  socket.hear('connect_error', new Error('sign in to look'));
  assert.deepEqual([strange, session.strange, session.refused], [1, true, false]);
  t.mock.timers.tick(5_000);
  assert.equal(socket.active, true);
  // Long polling that is refused goes on by itself.
  socket.hear('connect_error', Object.assign(new Error('xhr poll error'), { description: 401 }));
  assert.equal(strange, 2);
  socket.hear('connect_error', Object.assign(new Error('xhr poll error'), { description: 502 }));
  assert.deepEqual([strange, session.strange], [2, false]);
  socket.arrive(OFF);
  assert.equal(session.strange, false);
});
