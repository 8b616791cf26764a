// JavaScript's Socket.IO clients, 4 and 2, against a running daemon: node clients.mjs http://ADDRESS:PORT
// Its cameras are tank, the first, and pond; both linger for a moment only.
import assert from 'node:assert/strict';

import { io as io4 } from 'socket.io-client';
import io2 from 'socket.io-client-v2';

const address = process.argv[2];
const DEADLINE_MS = 30_000;

const VERSIONS = [
  { name: 'socket.io-client 4', io: io4 },
  { name: 'socket.io-client 2', io: io2 },
];
const TRANSPORTS = [
  { name: 'polling', transports: ['polling'], ends: 'polling' },
  { name: 'websocket', transports: ['websocket'], ends: 'websocket' },
  { name: 'polling, then an upgrade', transports: ['polling', 'websocket'], ends: 'websocket' },
];

/** What a client has been told, and promises of what it will be told. */
class Client {
  constructor(io, namespace, options) {
    this.pictures = [];
    this.states = [];
    this.socket = io(address + namespace, { forceNew: true, reconnection: false, ...options });
    this.socket.on('liveStream', (url) => this.pictures.push(url));
    this.socket.on('state', (state) => this.states.push(state));
    for (const event of ['connect_error', 'error']) this.socket.on(event, (error) => (this.error = error));
  }

  /** Waits until something is true. */
  async until(what, isTrue) {
    const deadline = Date.now() + DEADLINE_MS;
    for (;;) {
      const seen = isTrue();
      if (seen) return seen;
      assert.ok(Date.now() < deadline, `not within ${DEADLINE_MS} ms: ${what}; error: ${this.error}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  connected() {
    return this.until('a connection', () => this.socket.connected);
  }

  ask(event) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no acknowledgement of ${event}`)), DEADLINE_MS);
      this.socket.emit(event, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  state(state) {
    return this.until(`the state ${state}`, () => this.states.find((told) => told.state === state));
  }
}

async function fetchPicture(page, url, [width, height]) {
  const answer = await fetch(address + page + url);
  assert.equal(answer.status, 200, url);
  assert.equal(answer.headers.get('content-type'), 'image/jpeg');
  assert.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  const bytes = Buffer.from(await answer.arrayBuffer());
  assert.deepEqual([...bytes.subarray(0, 3)], [0xff, 0xd8, 0xff], 'the start of a JPEG');
  assert.deepEqual([...bytes.subarray(-2)], [0xff, 0xd9], 'the end of a JPEG');
  const frame = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] >= 0xc0 && bytes[at + 1] <= 0xc2);
  assert.deepEqual([bytes.readUInt16BE(frame + 7), bytes.readUInt16BE(frame + 5)], [width, height]);
}

/** Watches from start to stop. */
async function watch(client, { camera, page, size }) {
  await client.connected();
  const first = await client.until('a state', () => client.states[0]);
  assert.equal(first.camera, camera);
  assert.equal(first.state, 'idle');
  assert.deepEqual(client.pictures, [], 'pictures before it asks');
  client.states.length = 0;

  const started = await client.ask('start-stream');
  assert.equal(started.ok, true);
  assert.equal(started.state.camera, camera);
  await client.until('five pictures', () => client.pictures.length >= 5);
  const live = await client.state('live');
  assert.equal(live.session, true);
  const urls = client.pictures.slice(-5);
  let last = 0n;
  for (const url of urls) {
    assert.match(url, /^image_stream\.jpg\?_t=\d{16}$/);
    const id = BigInt(url.split('=')[1]);
    assert.ok(id > last, `${id} after ${last}`);
    last = id;
    await fetchPicture(page, url, size);
  }

  client.states.length = 0;
  const stopped = await client.ask('stop-stream');
  assert.equal(stopped.ok, true);
  await client.state('idle');
  client.pictures.length = 0;
  const { now } = await client.ask('clock');
  assert.ok(Math.abs(now - Date.now()) < 60_000, `the daemon's time is ${now}`);
  assert.deepEqual(client.pictures, [], 'pictures after it has asked for no more');
}

/** Waits until all cameras are off, so that the next test begins as this one did. */
async function off() {
  const deadline = Date.now() + DEADLINE_MS;
  const states = async () => (await (await fetch(`${address}/api/cameras`)).json()).cameras.map((told) => told.state);
  while ((await states()).some((state) => state !== 'idle')) {
    assert.ok(Date.now() < deadline, `a camera is on ${DEADLINE_MS} ms after its last client has gone`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const tests = [];
const test = (name, run) => tests.push({ name, run });
const TANK = { camera: 'tank', page: '/', size: [320, 240] };
const POND = { camera: 'pond', page: '/cameras/pond/', size: [160, 120] };

for (const { name, io } of VERSIONS) {
  for (const { name: way, transports, ends } of TRANSPORTS) {
    test(`${name} watches over ${way}`, async (open) => {
      const client = open(io, '/', { transports });
      await client.connected();
      await client.until(`the transport ${ends}`, () => (client.socket.io.engine.transport.name === ends));
      await watch(client, TANK);
      assert.equal(client.socket.io.engine.transport.name, ends);
    });
  }
  test(`${name} watches another camera in its namespace`, async (open) => {
    await watch(open(io, '/pond', {}), POND);
  });
  test(`${name} watches two cameras over one connection`, async (open) => {
    const tank = open(io, '/tank', {});
    const pond = tank.socket.io.socket('/pond');
    const states = [];
    const pictures = [];
    pond.on('state', (state) => states.push(state));
    pond.on('liveStream', (url) => pictures.push(url));
    pond.connect();
    await tank.until('the second namespace', () => states.length > 0 && pond.connected);
    assert.equal(states[0].camera, 'pond');
    pond.emit('start-stream');
    await tank.until('pictures of the second camera', () => pictures.length >= 5);
    await fetchPicture(POND.page, pictures.at(-1), POND.size);
    pictures.length = 0;
    await watch(tank, { ...TANK, page: '/cameras/tank/' });
    await tank.until('more pictures of the second camera', () => pictures.length >= 5);
    pond.emit('stop-stream');
    await tank.until('the end of the second camera', () => states.at(-1).state === 'idle');
  });
  test(`${name} is told when there is no such camera`, async (open) => {
    const client = open(io, '/lake', {});
    await client.until('an error', () => client.error);
    assert.ok(!client.socket.connected);
  });
  test(`${name} leaves a camera that goes off when it disconnects`, async (open) => {
    const observer = open(io4, '/', { auth: { watch: false } });
    const client = open(io, '/', {});
    await Promise.all([observer.connected(), client.connected()]);
    client.socket.emit('start-stream');
    await observer.state('live');
    observer.states.length = 0;
    client.socket.disconnect();
    await observer.state('idle');
    assert.deepEqual(observer.pictures, [], 'pictures for an observer');
  });
}

for (const { name, run } of tests) {
  const clients = [];
  const open = (...args) => {
    clients.push(new Client(...args));
    return clients.at(-1);
  };
  try {
    await run(open);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${error.stack}`);
  }
  for (const client of clients) client.socket.io.engine?.close();
  await off();
}
process.exit(0);
