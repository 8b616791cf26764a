// Writing to the document only what changed: a live region speaks at each write, and a phone pays for each layout.

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** A copy of the template's only element, and its parts by their `data-part`. */
export function build(id) {
  const root = copy(id);
  const parts = {};
  for (const place of root.querySelectorAll('[data-eye]')) place.append(copy('eye'));
  for (const element of root.querySelectorAll('[data-part]')) parts[element.dataset.part] = element;
  return { root, parts };
}

const icon = document.querySelector('link[rel="icon"]');

/** The tab tells whether this is live, also while another tab is in front. */
export function setTab(title, live) {
  const text = live ? `● ${title}` : title;
  if (document.title !== text) document.title = text;
  setAttribute(icon, 'href', live ? '/icon-live.svg' : '/icon.svg');
}
