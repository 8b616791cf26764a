import assert from 'node:assert/strict';
import { test } from 'node:test';
import { app, browser, examples, lacks, left, length, link, session, when } from '../../../public/access-text.js';

const at = (...local) => new Date(...local).getTime();
/** Noon on Monday, 2 March 2026, where the test runs. */
const NOW = at(2026, 2, 2, 12);
const HOUR = 3_600_000;

test('characters are counted, not their bytes or halves', () => {
  assert.equal(lacks(''), 10);
  assert.equal(lacks('123456789'), 1);
  assert.equal(lacks('1234567890'), 0);
  assert.equal(lacks('🐟🐟🐟🐟🐟🐟🐟🐟🐟'), 1);
  assert.equal(lacks('äöüäöüäöüä'), 0);
});

test('what a password lacks is said while it is written', () => {
  assert.match(length(''), /^At least 10 characters\./);
  assert.equal(length('a'), '9 more characters');
  assert.equal(length('123456789'), '1 more character');
  assert.equal(length('1234567890'), 'Long enough');
});

test('how long to wait is never nothing', () => {
  assert.deepEqual([left(0), left(-5), left(1), left(1_000), left(1_001), left(99_000), left(99_001), left(600_000)],
    ['1 s', '1 s', '1 s', '1 s', '2 s', '99 s', '2 min', '10 min']);
});

test('days near now have names', () => {
  const day = (ms) => when(ms, NOW, 'en-GB');
  assert.equal(day(NOW + HOUR), 'today, 13:00');
  assert.match(day(at(2026, 2, 3, 0, 5)), /^tomorrow, 0?0:05$/);
  assert.equal(day(at(2026, 2, 1, 23, 59)), 'yesterday, 23:59');
  assert.match(day(at(2026, 2, 4, 10)), /^Wed,? 4 Mar, 10:00$/);
  assert.match(day(at(2027, 0, 1, 8)), /2027/);
});

test('browsers are told by their own name', () => {
  const of = (name, text) => assert.equal(browser(text), name);
  of('Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0');
  of('Chrome on Android', 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36');
  of('Safari on iPhone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1');
  of('Chrome on iPhone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1');
  of('Edge on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0');
  of('Safari on Mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15');
  of('curl/8.14.1', 'curl/8.14.1');
  of('Some browser', '');
  of('Some browser', null);
  assert.equal(browser('x'.repeat(500)).length, 60);
});

test('a session is told with where it is from; one’s own is seen now', () => {
  const told = { agent: 'Firefox/1 Linux', from: '192.168.1.7', since_ms: NOW - HOUR, seen_ms: NOW - HOUR / 2, this: false };
  assert.deepEqual(session(told, NOW, { locale: 'en-GB' }), {
    title: 'Firefox on Linux', tag: '', detail: 'from 192.168.1.7 · signed in today, 11:00 · last seen today, 11:30',
  });
  assert.deepEqual(session({ ...told, this: true, from: null }, NOW, { locale: 'en-GB' }), {
    title: 'Firefox on Linux', tag: 'this browser', detail: 'signed in today, 11:00',
  });
  const guest = session({ ...told, link: 'x' }, NOW, { locale: 'en-GB', title: () => 'Grandma' });
  assert.deepEqual([guest.tag, guest.detail], ['guest', 'Grandma · from 192.168.1.7 · came today, 11:00 · last seen today, 11:30']);
});

test('an app password is told with when it was of use', () => {
  assert.equal(app({ name: 'VLC', since_ms: NOW, seen_ms: null }, NOW, { locale: 'en-GB' }).detail, 'made today, 12:00 · not used yet');
  assert.equal(app({ name: 'VLC', since_ms: NOW - 24 * HOUR, seen_ms: NOW }, NOW, { locale: 'en-GB' }).detail, 'made yesterday, 12:00 · last used today, 12:00');
});

test('a guest link is told with what it is for, until when, and how many came', () => {
  const told = { name: '', camera: null, until_ms: NOW + HOUR, viewers: 3, used: 1 };
  assert.deepEqual(link(told, NOW, { locale: 'en-GB' }), { title: 'Guest link', tag: '', detail: 'all cameras · until today, 13:00 · 1 of 3 came in' });
  const named = link({ ...told, name: 'Grandma', camera: 'door', until_ms: NOW }, NOW, { locale: 'en-GB', title: () => 'Front door' });
  assert.deepEqual(named, { title: 'Grandma', tag: '', detail: 'Front door · ended today, 12:00 · 1 of 3 came in' });
});

test('addresses for programs carry the password where nothing else can', () => {
  const all = examples('https://pi.local:3000', { password: 'a b/c@d', camera: null });
  assert.deepEqual(all, {
    picture: 'https://pi.local:3000/snapshot.jpg',
    stream: 'https://pi.local:3000/stream.mjpg',
    whole: 'https://eyelid:a%20b%2Fc%40d@pi.local:3000/stream.mjpg',
  });
  assert.equal(new URL(all.whole).password, 'a%20b%2Fc%40d');
  assert.equal(examples('http://[::1]:3000', { password: 'x', camera: 'door' }).picture, 'http://[::1]:3000/cameras/door/snapshot.jpg');
});
