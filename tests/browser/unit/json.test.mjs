import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getJson, sendJson } from '../../../public/json.js';

/** Answers in place of the server, and notes what was asked. */
function answering(t, answer) {
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (...all) => {
    asked.push(all);
    return answer();
  });
  return asked;
}

test('what is sent is JSON, and nothing where there is nothing to send', async (t) => {
  const asked = answering(t, () => Response.json({ ok: true }));
  assert.deepEqual(await sendJson('POST', '/api/login', { password: 'x' }), { ok: true, status: 200, told: { ok: true } });
  await sendJson('DELETE', '/api/apps/1');
  const [[url, login], [, revoke]] = asked;
  assert.deepEqual([url, login.method, login.body, login.headers['Content-Type']], ['/api/login', 'POST', '{"password":"x"}', 'application/json']);
  assert.deepEqual([revoke.method, revoke.body, revoke.headers['Content-Type']], ['DELETE', undefined, undefined]);
});

test('a refusal is told in the server’s words', async (t) => {
  answering(t, () => Response.json({ error: 'that is not the password', hint: null }, { status: 401 }));
  assert.deepEqual(await sendJson('POST', '/x', {}), { ok: false, status: 401, told: { error: 'that is not the password', hint: null } });
});

test('no answer, and one that is no JSON, are told too', async (t) => {
  answering(t, () => { throw new TypeError('no'); });
  const silent = await sendJson('POST', '/x', {});
  assert.deepEqual([silent.ok, silent.status, silent.told.error], [false, 0, 'the server does not answer']);
  t.mock.restoreAll();
  answering(t, () => new Response('<h1>Bad gateway</h1>', { status: 502 }));
  assert.equal((await sendJson('POST', '/x', {})).told.error, 'the server answers with 502');
  t.mock.restoreAll();
  answering(t, () => new Response('', { status: 200 }));
  assert.deepEqual(await sendJson('POST', '/x', {}), { ok: true, status: 200, told: {} });
});

test('what can’t be had says by which status', async (t) => {
  answering(t, () => Response.json({ error: 'sign in' }, { status: 401 }));
  await assert.rejects(getJson('/api/cameras'), { status: 401 });
});
