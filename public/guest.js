// The way in for a guest. What is behind the "#" is sent once, and is out of the address before anything else happens.

import { cameraPage, takeSecret } from './address.js';
import { setData, setHidden, setText } from './dom.js';
import { sendJson } from './json.js';
import { askWhoFirst } from './who.js';
import { refusal } from './words.js';

const token = takeSecret();
const ended = new URLSearchParams(location.search).has('ended');
const element = (id) => document.getElementById(id);
const gate = document.querySelector('main');

function say(heading, why, { ways = ['sign-in'], look = '/' } = {}) {
  setText(element('wait'), '');
  setText(element('heading'), heading);
  setText(element('why'), why);
  element('look').href = look;
  for (const way of ['retry', 'look', 'sign-in']) setHidden(element(way), !ways.includes(way));
  setHidden(element('said'), false);
  setHidden(element('ways'), ways.length === 0);
  setData(gate, 'state', 'said');
}

/** What the link did not do, by the status of the answer. */
function refused({ status, told }) {
  if (status === 401) say('This link does not work any more', `${refusal(told)} Ask whoever sent it for a new one.`);
  else if (status === 403) say('This link is used up', `${refusal(told)} Ask whoever sent it for a new one.`);
  else say('Not now', refusal(told), { ways: ['retry'] });
}

async function enter() {
  const answer = await sendJson('POST', '/api/guest', { token });
  if (!answer.ok) {
    refused(answer);
    return;
  }
  gate.classList.add('is-live');
  location.replace(cameraPage(answer.told.camera));
}

async function begin() {
  if (ended) {
    say('Your visit is over', 'Your guest link has ended: its time has run out, or it was revoked. Ask whoever sent it for a new one.');
    return;
  }
  if (!token) {
    say('Something is missing', 'A guest link ends with “#” and a long code. Open the whole link, as it was sent to you.');
    return;
  }
  const { who, camera } = await askWhoFirst(element('wait'));
  if (who === 'owner') {
    say('You need no guest link', 'This browser is signed in as the owner’s, so the link was not used up.', { ways: ['look'] });
  } else if (who === 'everybody') {
    location.replace(cameraPage(camera));
  } else await enter();
}

element('retry').addEventListener('click', enter);
// Another link, opened where this page is open already, changes nothing but what is behind the "#".
addEventListener('hashchange', () => location.reload());
begin();
