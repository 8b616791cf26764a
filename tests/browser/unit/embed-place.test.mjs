import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place } from '../../../embed/place.js';

const HERE = 'https://www.example.org/garden/';

test('the page of a camera, with or without the last slash, is where its pictures are', () => {
  for (const src of ['https://cam.example/cameras/desk', 'https://cam.example/cameras/desk/', '//cam.example/cameras/desk?x=1#y']) {
    assert.deepEqual(place(src, HERE), { root: 'https://cam.example/', base: 'https://cam.example/cameras/desk/', namespace: '/desk' });
  }
});

test('without a name it is the first camera', () => {
  for (const src of ['https://cam.example', 'https://cam.example/']) {
    assert.deepEqual(place(src, HERE), { root: 'https://cam.example/', base: 'https://cam.example/', namespace: '' });
  }
});

test('a proxy may have put the daemon in a folder, also one of this site', () => {
  assert.deepEqual(place('/cam/cameras/desk', HERE), { root: 'https://www.example.org/cam/', base: 'https://www.example.org/cam/cameras/desk/', namespace: '/desk' });
  assert.deepEqual(place('../cam/', HERE), { root: 'https://www.example.org/cam/', base: 'https://www.example.org/cam/', namespace: '' });
});

test('a camera may have the name of the folder, and a port counts', () => {
  assert.deepEqual(place('http://pi.local:3000/cameras/cameras', HERE), { root: 'http://pi.local:3000/', base: 'http://pi.local:3000/cameras/cameras/', namespace: '/cameras' });
});

test('what is no address of the web is none', () => {
  for (const src of ['', null, undefined, 'http://', 'javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd']) assert.equal(place(src ?? '', HERE), null, src);
});
