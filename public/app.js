// Which page this is: one camera by its name, the only camera, or a choice of several.

import { signInAddress } from './address.js';
import { CameraList } from './camera-list.js';
import { CameraView } from './camera-view.js';
import { setHidden } from './dom.js';
import { showGrid } from './grid.js';
import { askWho } from './who.js';

const cameras = new CameraList();
const ask = () => cameras.ask();
const waiting = document.getElementById('waiting');
let told = null;
let who = null;
let leaving = false;

/** The server does not know any more who this is. */
async function strange() {
  if (leaving) return;
  leaving = true;
  const now = await askWho();
  leaving = now.who === 'nobody';
  // Somebody else than before, or refused for another reason: to go and come back would change nothing.
  if (leaving) location.replace(who?.who === 'viewer' ? '/guest?ended' : signInAddress(location));
}

function showCamera(name) {
  const view = new CameraView(name, { unsure: ask, strange });
  return (list, access, page) => {
    view.setWho(access);
    view.setSeveral(list.length > 1);
    view.setTransport(page?.transport);
  };
}

/** The only camera that somebody may look at needs not be the only one, or the first. */
const only = ([camera]) => showCamera(who.may.manage ? null : camera?.camera ?? null);

const named = /^\/cameras\/([^/]+)\/?$/.exec(location.pathname);
let update = named && showCamera(decodeURIComponent(named[1]));

function draw() {
  if (!told || !who) return;
  setHidden(waiting, true);
  update ??= told.cameras.length > 1 ? showGrid({ unsure: ask }) : only(told.cameras);
  update(told.cameras, who, told.page);
}

cameras.addEventListener('fail', ({ detail: { status } }) => {
  if (status === 401) strange();
  else setHidden(waiting, update !== null);
});
cameras.addEventListener('list', ({ detail }) => {
  told = detail;
  draw();
});
cameras.ask(0);
cameras.follow();
who = await askWho();
draw();
