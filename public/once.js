// What is shown once: a new link or password, to be taken away now.

import { build, setHidden, setText } from './dom.js';

/** Copies what is in a field. Browsers give pages without TLS no other way than the selection. */
async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand('copy');
  }
}

/**
 * Shows `secret` in `place`, with the parts of the template `id` that have a text in `texts`. `say` tells what was done; `back` gets
 * the focus when it is put away.
 */
export function showOnce(place, id, { secret, texts = {}, say, back }) {
  const { root, parts } = build(id);
  parts.secret.value = secret;
  for (const [part, text] of Object.entries(texts)) setText(parts[part], text);
  parts.secret.addEventListener('focus', () => parts.secret.select());
  parts.copy.addEventListener('click', async () => {
    const copied = await copy(parts.secret);
    say(copied ? 'Copied' : 'It can’t be copied here: select it, and copy it yourself');
    if (copied) parts.copy.focus();
    else parts.secret.focus();
  });
  if (parts.share && navigator.share) {
    setHidden(parts.share, false);
    // Who shares with nobody after all has done nothing wrong.
    parts.share.addEventListener('click', () => navigator.share({ url: secret }).catch(() => {}));
  }
  parts.done.addEventListener('click', () => {
    place.replaceChildren();
    back.focus();
  });
  place.replaceChildren(root);
  root.focus();
  root.scrollIntoView({ block: 'nearest' });
}
