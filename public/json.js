// What the server tells in JSON.

const PATIENCE_MS = 20_000;
const SILENCE = { error: 'the server does not answer', hint: 'try again in a moment' };

/** Asks for it, until `signal` where there is one; rejects where there is no answer, or another than that, with its `status`. */
export async function getJson(url, signal = null) {
  const answer = await fetch(url, { headers: { Accept: 'application/json' }, signal });
  if (!answer.ok) throw Object.assign(new Error(`${url}: ${answer.status}`), { status: answer.status });
  return answer.json();
}

/** Sends it. Resolves to `{ok, status, told}` in any case; where there is no answer, `status` is 0 and `told` says so. */
export async function sendJson(method, url, body) {
  const headers = { Accept: 'application/json', ...(body && { 'Content-Type': 'application/json' }) };
  try {
    const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(PATIENCE_MS) });
    const told = await answer.json().catch(() => (answer.ok ? {} : { error: `the server answers with ${answer.status}` }));
    return { ok: answer.ok, status: answer.status, told };
  } catch {
    return { ok: false, status: 0, told: SILENCE };
  }
}
