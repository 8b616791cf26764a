import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cameraPage, inside, isLoopback, signInAddress, takeSecret } from '../../../public/address.js';

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
