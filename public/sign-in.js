// The owner's sign-in, and the way on to where it was asked for.

import { inside } from './address.js';
import { setData, setHidden } from './dom.js';
import { hideSecrets, Sender, showSecrets } from './form.js';
import { sendJson } from './json.js';
import { askWhoFirst } from './who.js';
import { sentence } from './words.js';

const element = (id) => document.getElementById(id);
const gate = document.querySelector('main');
const password = element('password');

const goOn = () => location.replace(inside(new URLSearchParams(location.search).get('to'), location.origin));

/** Somebody has clicked for it on a page of ours, or the server has sent them back from where this page has just led. */
function cameFromHere() {
  try {
    return new URL(document.referrer).origin === location.origin;
  } catch {
    return false;
  }
}

async function send() {
  if (password.value === '') {
    password.focus();
    return 'Write the password first.';
  }
  const answer = await sendJson('POST', '/api/login', { password: password.value });
  if (answer.ok) {
    hideSecrets();
    gate.classList.add('is-live');
    goOn();
    return null;
  }
  if (answer.status === 401) {
    password.select();
    password.focus();
    // What to do about it stands on the page already.
    return sentence(answer.told.error);
  }
  return answer;
}

async function begin() {
  const { mode, who } = await askWhoFirst(element('wait'));
  if (mode === 'setup') {
    location.replace('/setup');
    return;
  }
  // A followed link brings no cookie along, so somebody may be sent here who is signed in.
  if (['owner', 'everybody'].includes(who) || (who === 'viewer' && !cameFromHere())) {
    goOn();
    return;
  }
  setHidden(element('lead'), who !== 'viewer');
  setData(gate, 'state', 'ready');
  password.focus();
}

showSecrets();
new Sender({ form: element('form'), button: element('go'), problem: element('told'), again: element('again') }, send);
// Somebody who goes back to this page from the browser's cache is to find what is so now.
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
begin();
