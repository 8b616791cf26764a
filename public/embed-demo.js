// The element of embed.js in its variants, with what to write for each. No camera starts before somebody wants it.

import { setText } from './dom.js';
import { getJson } from './json.js';

const RETRY_MS = 3_000;
const BACKGROUND = ['background', 'fade-on-scroll', 'pause-offscreen', 'grayscale', 'fade'];

const element = (id) => document.getElementById(id);
const [choice, problem] = [element('camera'), element('problem')];
const all = () => document.querySelectorAll('eyelid-camera');
const address = (name) => `${location.origin}/cameras/${encodeURIComponent(name)}`;

/** The element as a page would have it that plays at once. */
function markup(attributes, src) {
  const told = attributes.filter(([name]) => !['id', 'src', 'paused'].includes(name));
  const text = told.map(([name, value]) => (value ? ` ${name}="${value}"` : ` ${name}`)).join('');
  return `<eyelid-camera src="${src}"${text}></eyelid-camera>`;
}

function code() {
  const block = document.createElement('pre');
  block.append(document.createElement('code'));
  return block;
}

/** Where the markup of each variant is shown: `[place, attributes]`. */
const shown = [...all()].map((camera) => {
  const block = code();
  if (camera.id === 'boxed') element('boxed-code').append(block);
  else camera.after(block);
  return [block.firstChild, [...camera.attributes].map(({ name, value }) => [name, value])];
});
const behind = code();
element('background-place').append(behind);
shown.push([behind.firstChild, BACKGROUND.map((name) => [name, ''])]);

function show() {
  const src = address(choice.value);
  for (const camera of all()) if (camera.getAttribute('src') !== src) camera.setAttribute('src', src);
  for (const [place, attributes] of shown) setText(place, markup(attributes, src));
  setText(element('script'), `<script type="module" src="${location.origin}/embed.js"></script>`);
  setText(element('origins'), `[[camera]]\nname = "${choice.value}"\norigins = ["https://www.example.org"]`);
}

async function cameras() {
  try {
    const { cameras: list } = await getJson('/api/cameras');
    setText(problem, '');
    choice.replaceChildren(...list.map(({ camera, title }) => new Option(title || camera, camera)));
    show();
  } catch {
    setText(problem, 'The server does not answer. Trying again…');
    setTimeout(cameras, RETRY_MS);
  }
}

choice.addEventListener('change', show);
element('all').addEventListener('click', () => all().forEach((camera) => camera.play()));
element('behind').addEventListener('change', ({ target }) => {
  if (!target.checked) return element('background').remove();
  const camera = document.createElement('eyelid-camera');
  camera.id = 'background';
  for (const name of BACKGROUND) camera.setAttribute(name, '');
  camera.setAttribute('src', address(choice.value));
  document.body.append(camera);
  return undefined;
});
cameras();
