// The first choice of an owner: a password, or none. Whoever has the code of the link is the owner.

import { cameraPage, takeSecret } from './address.js';
import { lacks, LEAST, length } from './access-text.js';
import { setData, setHidden, setText } from './dom.js';
import { hideSecrets, Sender, showSecrets } from './form.js';
import { sendJson } from './json.js';
import { askWhoFirst } from './who.js';
import { refusal } from './words.js';

const code = takeSecret();
const element = (id) => document.getElementById(id);
const gate = document.querySelector('main');
const password = element('password');

const HEADINGS = { locked: 'This camera waits for its owner', choose: 'Choose a password', sure: 'Open to everyone?' };
const PARTS = { locked: ['locked'], choose: ['choose', 'or'], sure: ['sure'] };
let headings = HEADINGS;

function show(step) {
  setText(element('heading'), headings[step]);
  for (const part of ['locked', 'choose', 'or', 'sure']) setHidden(element(part), !PARTS[step].includes(part));
  setData(gate, 'state', step);
}

/** A link works once. What its code is worth the server says when it is sent. */
function lock(problem = '') {
  show('locked');
  setText(element('wrong'), problem);
  element('heading').focus();
}

async function choose(wish) {
  const answer = await sendJson('POST', '/api/setup', { code, ...wish });
  if (answer.ok) {
    gate.classList.add('is-live');
    location.replace(cameraPage(null));
    return null;
  }
  if (answer.status === 401) lock(refusal(answer.told));
  return answer;
}

async function send() {
  const missing = lacks(password.value);
  password.setAttribute('aria-invalid', String(missing > 0));
  if (missing > 0) {
    password.focus();
    return `A password has ${LEAST} characters at least.`;
  }
  hideSecrets();
  return choose({ password: password.value });
}

async function open() {
  const really = element('really');
  if (really.getAttribute('aria-disabled') === 'true') return;
  really.setAttribute('aria-disabled', 'true');
  setText(element('refused'), '');
  const answer = await choose({ open: true });
  if (!answer) return;
  really.setAttribute('aria-disabled', 'false');
  setText(element('refused'), refusal(answer.told));
}

async function begin() {
  const { mode } = await askWhoFirst(element('wait'));
  if (mode !== 'setup') headings = { ...HEADINGS, locked: 'Choose anew', choose: 'Choose a new password' };
  setText(element('why'), mode === 'setup'
    ? 'Nobody can look before the owner has chosen a password. The link for that has a code in it, which only the machine itself tells.'
    : 'A choice was made already. To make another, or when the password is forgotten, a new link is needed.');
  if (!code) {
    lock();
    return;
  }
  show('choose');
  setText(element('length'), length(''));
  password.focus();
}

showSecrets();
new Sender({ form: element('choose'), button: element('go'), problem: element('told'), again: element('again') }, send);
password.addEventListener('input', () => {
  setText(element('length'), length(password.value));
  password.removeAttribute('aria-invalid');
});
element('open').addEventListener('click', () => {
  show('sure');
  element('back').focus();
});
element('back').addEventListener('click', () => {
  show('choose');
  element('open').focus();
});
element('really').addEventListener('click', open);
// The link, opened where this page is open already, changes nothing but what is behind the "#".
addEventListener('hashchange', () => location.reload());
addEventListener('pageshow', ({ persisted }) => { if (persisted) location.reload(); });
begin();
