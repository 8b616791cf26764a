// Which page this is: one camera by its name, the only camera, or a choice of several.

import { CameraList } from './camera-list.js';
import { CameraView } from './camera-view.js';
import { setHidden } from './dom.js';
import { showGrid } from './grid.js';

const cameras = new CameraList();
const ask = () => cameras.ask();

function showCamera(name) {
  const view = new CameraView(name, { unsure: ask });
  return (list, page) => {
    view.setSeveral(list.length > 1);
    view.setTransport(page?.transport);
  };
}

const named = /^\/cameras\/([^/]+)\/?$/.exec(location.pathname);
let update = named && showCamera(decodeURIComponent(named[1]));
const waiting = document.getElementById('waiting');
cameras.addEventListener('fail', () => setHidden(waiting, update !== null));
cameras.addEventListener('list', ({ detail: { cameras: list, page } }) => {
  setHidden(waiting, true);
  update ??= list.length > 1 ? showGrid({ unsure: ask }) : showCamera(null);
  update(list, page);
});
cameras.ask(0);
cameras.follow();
