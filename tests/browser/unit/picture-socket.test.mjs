import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PictureSocket } from '../../../public/picture-socket.js';

const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A socket to a server that is the test, and pictures whose decoding ends when the test says so. */
function setUp(t, { base = 'http://pi:3000/cameras/tank/', ...options } = {}) {
  const sockets = [];
  const shown = [];
  const decodes = [];
  let lost = 0;
  const pictures = new PictureSocket({
    base,
    show: ({ id }) => shown.push(id),
    lost: () => { lost += 1; },
    make: (url) => {
      const socket = { url, said: [], closed: 0, send: (text) => socket.said.push(JSON.parse(text)), close: () => { socket.closed += 1; } };
      socket.picture = (id) => {
        socket.onmessage({ data: JSON.stringify({ event: 'picture', id, taken_ms: id / 1000 }) });
        socket.onmessage({ data: new Blob(['jpeg']) });
      };
      sockets.push(socket);
      return socket;
    },
    decode: (blob) => new Promise((resolve, reject) => {
      const decode = { blob, freed: 0, fail: () => reject(new Error('no picture')) };
      decode.done = () => resolve({ close: () => { decode.freed += 1; } });
      decodes.push(decode);
    }),
    ...options,
  });
  pictures.start();
  // Its timer would keep the tests from ending.
  t.after(() => pictures.stop());
  return { pictures, sockets, socket: sockets[0], shown, decodes, lost: () => lost };
}

test('it takes no lease, and has the times and its pace from the beginning', (t) => {
  assert.equal(setUp(t).socket.url, 'ws://pi:3000/cameras/tank/ws?lease=false&times=true&ready=true');
  assert.equal(setUp(t, { base: 'https://pi/' }).socket.url, 'wss://pi/ws?lease=false&times=true&ready=true');
});

test('the next picture is asked for when this one begins to be decoded', async (t) => {
  const { socket, decodes, shown } = setUp(t);
  socket.onopen();
  assert.deepEqual(socket.said, []);
  socket.picture(1);
  assert.deepEqual(socket.said, [{ ready: true }]);
  assert.equal(decodes[0].blob.type, 'image/jpeg');
  decodes[0].done();
  await settle();
  assert.deepEqual(shown, [1]);
  assert.equal(decodes[0].freed, 1);
  assert.equal(socket.said.length, 1);
});

test('while one is decoded the next one waits, and none is asked for behind it', async (t) => {
  const { socket, decodes, shown } = setUp(t);
  socket.picture(1);
  socket.picture(2);
  await settle();
  assert.deepEqual([decodes.length, socket.said.length], [1, 1]);
  decodes[0].done();
  await settle();
  assert.deepEqual([decodes.length, socket.said.length], [2, 2]);
  decodes[1].done();
  await settle();
  assert.deepEqual(shown, [1, 2]);
});

test('what is no picture is survived', async (t) => {
  const { socket, decodes, shown } = setUp(t);
  socket.picture(1);
  decodes[0].fail();
  await settle();
  socket.picture(2);
  decodes[1].done();
  await settle();
  assert.deepEqual(shown, [2]);
});

test('stopped, it shows nothing more; started again, it is another connection', async (t) => {
  const { pictures, sockets, socket, decodes, shown, lost } = setUp(t);
  socket.picture(1);
  pictures.stop();
  decodes[0].done();
  await settle();
  socket.picture(2);
  socket.onclose();
  assert.deepEqual([shown, socket.closed, decodes.length, decodes[0].freed, lost()], [[], 1, 1, 1, 0]);
  pictures.start();
  pictures.start();
  assert.equal(sockets.length, 2);
  sockets[1].picture(3);
  decodes[1].done();
  await settle();
  assert.deepEqual(shown, [3]);
});

test('a decoding that never ends does not outlive its connection', async (t) => {
  const { pictures, sockets, socket, decodes, shown } = setUp(t);
  socket.picture(1);
  pictures.stop();
  pictures.start();
  sockets[1].picture(2);
  decodes[1].done();
  await settle();
  decodes[0].done();
  await settle();
  assert.deepEqual(shown, [2]);
});

test('a connection that ends, that never opens or that brings nothing of what there is, is lost', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const ended = setUp(t);
  ended.socket.onclose();
  assert.equal(ended.lost(), 1);

  const shut = setUp(t, { patience: 100 });
  t.mock.timers.tick(99);
  assert.equal(shut.lost(), 0);
  t.mock.timers.tick(1);
  assert.deepEqual([shut.lost(), shut.socket.closed], [1, 1]);

  const mute = setUp(t, { patience: 100 });
  mute.socket.onopen();
  t.mock.timers.tick(10_000);
  assert.equal(mute.lost(), 0, 'where nothing is announced nothing is missed');
  mute.socket.picture(7);
  mute.decodes[0].done();
  await settle();
  mute.pictures.expect(7);
  t.mock.timers.tick(10_000);
  assert.equal(mute.lost(), 0);
  mute.pictures.expect(8);
  t.mock.timers.tick(60);
  mute.pictures.expect(9);
  t.mock.timers.tick(40);
  assert.equal(mute.lost(), 1);
  mute.socket.onclose();
  assert.equal(mute.lost(), 1);
});

test('a browser that refuses to open one does without', (t) => {
  const { lost } = setUp(t, { make: () => { throw new Error('The operation is insecure'); } });
  assert.equal(lost(), 1);
});
