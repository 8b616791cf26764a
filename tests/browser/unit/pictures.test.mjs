import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pictures } from '../../../public/pictures.js';

const picture = (id) => ({ id, url: `http://host/image_stream.jpg?_t=${id}` });

/** Both ways in the hands of the test: what they were told, and `loaded` and `came` for a picture on each. */
function setUp(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told = [];
  const shown = [];
  const ways = {};
  const way = (name, actions) => (options) => {
    ways[name] = options;
    return Object.fromEntries(actions.map((action) => [action, (given) => told.push(given === undefined ? `${name} ${action}` : `${name} ${action} ${given.id ?? given}`)]));
  };
  const pictures = new Pictures({
    base: 'http://host/',
    show: ({ id }) => shown.push(id),
    loader: way('url', ['announce', 'stop', 'restart']),
    socket: way('ws', ['start', 'stop', 'expect']),
  });
  return {
    pictures,
    shown,
    told: () => told.splice(0),
    loaded: (id) => ways.url.show({ id }),
    came: (id) => ways.ws.show({ id }),
    lost: () => ways.ws.lost(),
    pass: (ms) => t.mock.timers.tick(ms),
  };
}

test('by address, no WebSocket is opened', (t) => {
  const { pictures, shown, told, loaded } = setUp(t);
  pictures.start();
  pictures.announce(picture(1));
  loaded(1);
  assert.deepEqual([told(), shown, pictures.way, pictures.newest], [['url announce 1'], [1], 'url', 1]);
});

test('a WebSocket takes over with its first picture, and until then nobody waits for it', (t) => {
  const { pictures, shown, told, loaded, came } = setUp(t);
  pictures.prefer('ws');
  assert.deepEqual(told(), [], 'nothing is wanted yet');
  pictures.start();
  pictures.start();
  pictures.announce(picture(1));
  loaded(1);
  assert.deepEqual([told(), pictures.way], [['ws start', 'url announce 1'], 'url']);
  came(1);
  assert.deepEqual([told(), pictures.way, shown], [['url stop'], 'ws', [1]], 'the same picture is shown once');
  pictures.announce(picture(3));
  came(3);
  came(2);
  assert.deepEqual([told(), shown, pictures.newest], [['ws expect 3'], [1, 3], 3]);
});

test('stopped, both ways are; wanted again, the WebSocket is opened again', (t) => {
  const { pictures, told, came } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  came(1);
  told();
  pictures.stop();
  assert.deepEqual([told(), pictures.way], [['ws stop', 'url stop'], 'url']);
  pictures.start();
  assert.deepEqual(told(), ['ws start']);
});

test('a WebSocket that breaks is opened again in a moment; addresses go on at once, with what it left undone', (t) => {
  const { pictures, told, came, lost, pass } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  came(1);
  pictures.announce(picture(2));
  told();
  lost();
  assert.equal(pictures.way, 'url');
  pass(999);
  assert.deepEqual(told(), []);
  pass(1);
  assert.deepEqual(told(), ['ws start', 'url announce 2']);
  pictures.announce(picture(3));
  assert.deepEqual(told(), ['url announce 3']);
});

test('one that can’t be opened is tried ever more seldom, but anew with each connection to a server', (t) => {
  const { pictures, told, lost, pass } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  for (const minutes of [1, 2, 4, 8, 15, 15]) {
    told();
    lost();
    pass(60_000 * minutes - 1);
    assert.deepEqual(told(), []);
    pass(1);
    assert.deepEqual(told(), ['ws start'], `after ${minutes} minutes`);
  }
  lost();
  pictures.restart();
  told();
  pictures.start();
  assert.deepEqual(told(), ['ws start']);
  lost();
  pass(60_000);
  assert.deepEqual(told(), ['ws start']);
});

test('lost and not wanted any more, nothing is tried', (t) => {
  const { pictures, told, came, lost, pass } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  came(1);
  pictures.announce(picture(2));
  lost();
  pictures.stop();
  told();
  pass(3_600_000);
  assert.deepEqual(told(), []);
});

test('from the WebSocket back to addresses, what was left undone is fetched', (t) => {
  const { pictures, told, came } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  came(1);
  pictures.announce(picture(2));
  told();
  pictures.prefer('url');
  assert.deepEqual([told(), pictures.way, pictures.preferred], [['ws stop', 'url announce 2'], 'url', 'url']);
});

test('a server that starts again may count from lower numbers', (t) => {
  const { pictures, shown, came, loaded } = setUp(t);
  pictures.prefer('ws');
  pictures.start();
  came(900);
  pictures.restart();
  assert.equal(pictures.newest, 0);
  loaded(7);
  came(8);
  assert.deepEqual(shown, [900, 7, 8]);
});
