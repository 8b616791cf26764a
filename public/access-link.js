// The quiet place in a page's head that leads to who may look, or to the sign-in.

import { wayIn } from './address.js';
import { setAttribute, setHidden, setText } from './dom.js';

/** Shows it in `parts` of a page: `access`, a link, with `accessIcon` and `accessWords` in it. */
export function showWayIn({ access, accessIcon, accessWords }, who, place = location) {
  const way = wayIn(who, place);
  if (way) {
    setAttribute(access, 'href', way.href);
    setAttribute(access, 'aria-label', way.words);
    access.title = way.icon ? way.words : '';
    setText(accessWords, way.words);
    setHidden(accessWords, way.icon);
    // An icon is no HTML, and knows no `hidden`.
    accessIcon.classList.toggle('unused', !way.icon);
    access.classList.toggle('icon-only', way.icon);
    access.classList.toggle('long', who.mode === 'open');
  }
  setHidden(access, !way);
}
