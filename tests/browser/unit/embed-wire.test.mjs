import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { Wire } from '../../../embed/wire.js';

let socket;
let heard;

class FakeSocket {
  sent = [];
  closed = 0;

  constructor(url) {
    this.url = url;
    socket = this;
  }

  send(packet) {
    this.sent.push(packet);
  }

  close() {
    this.closed += 1;
  }

  /** Packets of the server. */
  take(...packets) {
    for (const data of packets) this.onmessage?.({ data });
  }
}

const OPEN = '0{"sid":"a","pingInterval":5000,"pingTimeout":3000}';

// Time stands still but where it is told to go on.
beforeEach(() => {
  heard = [];
  globalThis.WebSocket = FakeSocket;
  mock.timers.enable({ apis: ['setTimeout'] });
});
afterEach(() => mock.timers.reset());

const wire = (namespace = '/tank', root = 'https://cam.example/') =>
  new Wire({ root, namespace }, (event, detail) => heard.push(detail === undefined ? [event] : [event, detail]));

test('it goes to the engine of the daemon, in its folder and by its own protocol', () => {
  wire('', 'http://pi.local:3000/cam/');
  assert.equal(socket.url, 'ws://pi.local:3000/cam/socket.io/?EIO=4&transport=websocket');
  wire();
  assert.equal(socket.url, 'wss://cam.example/socket.io/?EIO=4&transport=websocket');
});

test('it asks for its camera, and is connected when that is there', () => {
  const line = wire();
  socket.take(OPEN);
  assert.deepEqual([socket.sent, line.connected, heard], [['40/tank,'], false, []]);
  socket.take('40/tank,{"sid":"b"}');
  assert.deepEqual([line.connected, heard], [true, [['connected']]]);
});

test('the first camera has no name', () => {
  const line = wire('');
  socket.take(OPEN, '40{"sid":"b"}');
  line.say('start-stream');
  assert.deepEqual([socket.sent, line.connected], [['40', '42["start-stream"]'], true]);
});

test('events come with their detail, whatever is in it', () => {
  wire();
  socket.take(OPEN, '40/tank,{"sid":"b"}', '42/tank,["liveStream","image_stream.jpg?_t=1"]', '42/tank,["state",{"title":"a,\\n[1]"}]');
  assert.deepEqual(heard.slice(1), [['liveStream', 'image_stream.jpg?_t=1'], ['state', { title: 'a,\n[1]' }]]);
});

test('an answer gets to who asked', () => {
  const line = wire();
  const answers = [];
  socket.take(OPEN, '40/tank,{"sid":"b"}');
  for (const name of ['first', 'second']) line.say('wave', (answer) => answers.push([name, answer]));
  line.say('stop-stream');
  assert.deepEqual(socket.sent.slice(1), ['42/tank,0["wave"]', '42/tank,1["wave"]', '42/tank,["stop-stream"]']);
  socket.take('43/tank,1[{"ok":true}]', '43/tank,0[{"ok":false}]', '43/tank,7[{}]');
  assert.deepEqual(answers, [['second', { ok: true }], ['first', { ok: false }]]);
});

test('a ping is answered', () => {
  wire();
  socket.take(OPEN, '2');
  assert.equal(socket.sent.at(-1), '3');
});

test('a refusal is told in the words of the server, and ends it', () => {
  wire();
  socket.take(OPEN, '44/tank,{"message":"not here"}', '42/tank,["late"]');
  assert.deepEqual([heard, socket.closed], [[['refused', { message: 'not here' }]], 1]);
});

test('a connection that ends is told once', () => {
  for (const end of [() => socket.onclose(), () => socket.take('41/tank,')]) {
    wire();
    heard = [];
    socket.take(OPEN);
    end();
    assert.deepEqual(heard, [['closed']]);
    socket.onclose?.();
    assert.deepEqual(heard, [['closed']]);
  }
});

test('closed by ourselves, it tells nothing any more', () => {
  const line = wire();
  const { onmessage } = socket;
  line.close();
  assert.deepEqual([socket.closed, socket.onclose, socket.onmessage, typeof onmessage], [1, null, null, 'function']);
  mock.timers.tick(60_000);
  assert.deepEqual(heard, []);
});

test('a server that is silent for longer than its pings allow has gone', () => {
  wire();
  mock.timers.tick(19_999);
  socket.take(OPEN);
  mock.timers.tick(7_999);
  socket.take('2');
  mock.timers.tick(7_999);
  assert.deepEqual(heard, []);
  mock.timers.tick(1);
  assert.deepEqual([heard, socket.closed], [[['closed']], 1]);
});
