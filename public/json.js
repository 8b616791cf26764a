// What the server tells in JSON.

/** Asks for it, until `signal` where there is one; rejects where there is no answer, or another than that. */
export async function getJson(url, signal = null) {
  const answer = await fetch(url, { headers: { Accept: 'application/json' }, signal });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}
