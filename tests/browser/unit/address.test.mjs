import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraPage, inside, isLoopback, signInAddress, takeSecret, wayIn } from '../../../public/address.js';

const HERE = 'http://pi.local:3000';

test('a sign-in leads to a page of its own', () => {
  for (const [to, wanted] of [
    ['/', '/'], ['/stats', '/stats'], ['/cameras/door/', '/cameras/door/'], ['/cameras/door/?a=1#b', '/cameras/door/?a=1#b'],
    [null, '/'], ['', '/'],
  ]) assert.equal(inside(to, HERE), HERE + wanted, to);
});

test('a sign-in never leads to another site', () => {
  for (const to of [
    '//evil.example', '///evil.example', '/\\evil.example', '\\\\evil.example', '\\/evil.example', 'https://evil.example/', 'http:evil.example',
    'HTTPS://evil.example', ' //evil.example', '/\t/evil.example', '/\n\\evil.example', '\t//evil.example', '//evil.example:3000@pi.local',
    'javascript:alert(1)', 'data:text/html,x', 'evil.example', '//', '//[', '/\\/\\evil.example', 'http://pi.local:3000.evil.example/',
    'http://pi.local:3001/', '//pi.local:3000@evil.example/',
  ]) assert.equal(inside(to, HERE), `${HERE}/`, JSON.stringify(to));
});

test('what would be another site when it is read a second time is a whole address', () => {
  for (const to of ['/..//evil.example', '/.//evil.example', '/a/..//evil.example', '/./\\evil.example', '/%2e%2e//evil.example']) {
    const address = inside(to, HERE);
    assert.equal(new URL(address, HERE).origin, HERE, to);
    assert.ok(address.startsWith(`${HERE}/`), address);
  }
});

test('a sign-in leads back to where somebody is', () => {
  assert.equal(signInAddress({ pathname: '/', search: '' }), '/sign-in');
  const address = signInAddress({ pathname: '/cameras/door/', search: '?a=b&c' });
  assert.equal(address, '/sign-in?to=%2Fcameras%2Fdoor%2F%3Fa%3Db%26c');
  assert.equal(new URL(address, HERE).searchParams.get('to'), '/cameras/door/?a=b&c');
});

test('a secret is out of the address once it is read', () => {
  const written = [];
  const past = { replaceState: (...all) => written.push(all) };
  assert.equal(takeSecret({ hash: '#abc123', pathname: '/guest', search: '?x=1' }, past), 'abc123');
  assert.deepEqual(written, [[null, '', '/guest?x=1']]);
  assert.equal(takeSecret({ hash: '', pathname: '/guest', search: '' }, past), '');
  assert.equal(written.length, 1);
});

test('hosts that this machine alone gets', () => {
  for (const host of ['localhost', 'cam.localhost', '127.0.0.1', '127.8.0.1', '[::1]']) assert.ok(isLoopback(host), host);
  for (const host of ['pi.local', '192.168.1.5', '127.0.0.1.example', 'localhost.example', '[::2]', '10.127.0.0']) assert.ok(!isLoopback(host), host);
});

test('the page of a camera', () => {
  assert.equal(cameraPage(null), '/');
  assert.equal(cameraPage('front_door'), '/cameras/front_door/');
});

const at = (hostname, pathname = '/', search = '') => ({ hostname, pathname, search });
const OWNER = { mode: 'password', may: { look: true, manage: true, keys: true } };
const NOBODY = { mode: 'password', may: { look: false, manage: false, keys: false } };
const GUEST = { mode: 'password', may: { look: true, manage: false, keys: false } };
const OPEN = { mode: 'open', may: { look: true, manage: true, keys: false } };

test('the owner gets to who may look', () => {
  assert.deepEqual(wayIn(OWNER, at('pi.local')), { words: 'Who may look', href: '/access', icon: true });
  assert.deepEqual(wayIn(OWNER, at('localhost')), wayIn(OWNER, at('pi.local')));
});

test('who is not the owner can sign in, and comes back', () => {
  for (const who of [NOBODY, GUEST]) {
    assert.deepEqual(wayIn(who, at('pi.local', '/cameras/door/')), { words: 'Sign in', href: '/sign-in?to=%2Fcameras%2Fdoor%2F', icon: false });
  }
});

test('that it is open to everyone is said where it is', () => {
  assert.deepEqual(wayIn(OPEN, at('192.168.1.5')), { words: 'Open to everyone in this network', href: '/access', icon: false });
  for (const host of ['localhost', '127.0.0.1', '[::1]']) assert.equal(wayIn(OPEN, at(host)), null);
});
