// The owner's page: who may look, and until when.

import { app, examples, lacks, LEAST, length, link, session } from './access-text.js';
import { isLoopback, signInAddress } from './address.js';
import { setData, setHidden, setText } from './dom.js';
import { hideSecrets, Sender, showSecrets } from './form.js';
import { getJson, sendJson } from './json.js';
import { askBack, KeptList } from './kept-list.js';
import { showOnce } from './once.js';
import { askWhoFirst } from './who.js';
import { refusal } from './words.js';

const EACH_MS = 15_000;
const SAID_MS = 4_000;
const PATIENCE_MS = 10_000;

const element = (id) => document.getElementById(id);
const main = document.querySelector('main');
const titles = new Map();
const names = new Map();
let cameras = [];
let said = null;

function say(text) {
  setText(element('said'), text);
  clearTimeout(said);
  said = setTimeout(() => setText(element('said'), ''), SAID_MS);
}

const leave = () => location.replace(signInAddress(location));

/** Sends it; who is not signed in any more goes to sign in. */
async function send(...all) {
  const answer = await sendJson(...all);
  if (answer.status === 401) leave();
  return answer;
}

async function end(url, what) {
  const answer = await send('DELETE', url);
  // What has gone already is as it was wanted.
  if (answer.ok || answer.status === 404) say(what);
  else setText(element('problem'), refusal(answer.told));
  await refresh();
}

const part = (id, question, what, of, describe) => new KeptList(element(id), {
  describe: (item) => describe(item, Date.now()),
  word: question.word,
  question: question.sure,
  heading: element(`${id}-heading`),
  end: (item) => end(`/api/${of}/${encodeURIComponent(item.id)}`, what),
});
const lists = {
  links: part('links', { word: 'Revoke', sure: 'Really revoke?' }, 'Revoked', 'links', (item, now) => link(item, now, { title: (name) => titles.get(name) ?? name })),
  apps: part('apps', { word: 'Revoke', sure: 'Really revoke?' }, 'Revoked', 'apps', (item, now) => app(item, now)),
  sessions: part('sessions', { word: 'Sign out', sure: 'Really?' }, 'Signed out', 'sessions', (item, now) => session(item, now, { title: (id) => names.get(id) })),
};

async function refresh() {
  if (document.hidden) return;
  try {
    const told = await Promise.all(Object.keys(lists).map((name) => getJson(`/api/${name}`, AbortSignal.timeout(PATIENCE_MS))));
    for (const { id, name } of told[0].links) names.set(id, name);
    Object.entries(lists).forEach(([name, list], i) => list.show(told[i][name]));
    setText(element('wait'), '');
  } catch ({ status }) {
    if (status === 401 || status === 403) leave();
    else setText(element('wait'), 'The server does not answer, so this may be old. Trying again…');
  }
}

async function makeLink() {
  const viewers = element('link-viewers').valueAsNumber;
  if (!Number.isInteger(viewers) || viewers < 1) {
    element('link-viewers').focus();
    return 'For how many browsers is it? One at least.';
  }
  const answer = await send('POST', '/api/links', {
    for_ms: Number(element('link-for').value),
    viewers,
    camera: element('link-camera').value || null,
    name: element('link-name').value.trim(),
  });
  if (answer.ok) {
    showOnce(element('link-made'), 'once-link', { secret: answer.told.url, say, back: element('link-go') });
    element('link-name').value = '';
    await refresh();
  }
  return answer;
}

async function makeApp() {
  const name = element('app-name').value.trim();
  if (name === '') {
    element('app-name').focus();
    return 'Write for which program it is, so that you know later what to revoke.';
  }
  const answer = await send('POST', '/api/apps', { name });
  if (answer.ok) {
    const { password } = answer.told;
    const texts = { name, ...examples(location.origin, { password, camera: cameras.length > 1 ? cameras[0].camera : null }) };
    showOnce(element('app-made'), 'once-app', { secret: password, texts, say, back: element('app-go') });
    element('app-name').value = '';
    await refresh();
  }
  return answer;
}

async function changePassword() {
  const [before, after] = [element('old'), element('new')];
  if (before.value === '') {
    before.focus();
    return 'Write the password until now first.';
  }
  if (lacks(after.value) > 0) {
    after.focus();
    return `A password has ${LEAST} characters at least.`;
  }
  hideSecrets();
  const answer = await sendJson('POST', '/api/password', { old: before.value, new: after.value });
  if (answer.ok) {
    for (const field of [before, after]) field.value = '';
    setText(element('length'), length(''));
    say('The password is changed');
    element('password-heading').focus();
  }
  // 401 stands for a wrong password as well as for a session that has ended: the lists tell which.
  await refresh();
  return answer;
}

async function signOut(everywhere) {
  const answer = await sendJson('POST', '/api/logout', { everywhere });
  if (answer.ok || answer.status === 401) location.replace('/sign-in');
  else setText(element('problem'), refusal(answer.told));
}

function listen() {
  showSecrets();
  const form = (name, action, again) => new Sender({
    form: element(`${name}-form`), button: element(`${name}-go`), problem: element(`${name}-told`), again,
  }, action);
  form('link', makeLink);
  form('app', makeApp);
  form('password', changePassword, element('password-again'));
  setText(element('length'), length(''));
  element('new').addEventListener('input', ({ target }) => setText(element('length'), length(target.value)));
  element('leave').addEventListener('click', () => signOut(false));
  const all = element('end-all');
  askBack(all, all.firstElementChild, { word: 'Sign out everywhere', question: 'Really, here too?' }, () => signOut(true));
  setInterval(refresh, EACH_MS);
  document.addEventListener('visibilitychange', refresh);
  // What was shown once is not to be found by going back.
  addEventListener('pagehide', () => { for (const place of document.querySelectorAll('#link-made, #app-made')) place.replaceChildren(); });
}

/** A link may be for one camera, where there are several. */
async function knowCameras() {
  try {
    ({ cameras } = await getJson('/api/cameras', AbortSignal.timeout(PATIENCE_MS)));
  } catch {
    return;
  }
  for (const { camera, title } of cameras) {
    titles.set(camera, title || camera);
    const option = document.createElement('option');
    option.value = camera;
    option.textContent = title || camera;
    element('link-camera').append(option);
  }
  setHidden(element('link-where'), cameras.length < 2);
}

function showOpen() {
  const alone = isLoopback(location.hostname);
  setText(element('open-heading'), alone ? 'Whoever uses this machine' : 'Everybody in this network');
  setText(element('open-words'), alone
    ? 'There is no password. At this address only people and programs on this machine can look, and change what can be set.'
    : 'There is no password. Whoever is in this network can look, and change what can be set.');
  setHidden(element('open'), false);
}

async function begin() {
  const { who, mode, may } = await askWhoFirst(element('wait'));
  if (mode === 'setup') {
    location.replace('/setup');
    return;
  }
  if (!may.keys && mode !== 'open') {
    leave();
    return;
  }
  if (mode === 'open') showOpen();
  if (may.keys && who === 'owner') {
    listen();
    await knowCameras();
    await refresh();
    for (const place of document.querySelectorAll('[data-for="owner"]')) setHidden(place, false);
  }
  setData(main, 'state', 'ready');
}

begin();
