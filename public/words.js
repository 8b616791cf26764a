// How what the server says becomes words on the page. Pure: the same input says the same.

/** "the camera rests" as "The camera rests" */
export const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : '');

/** "the camera rests" as "The camera rests."; nothing of nothing. */
export function sentence(text) {
  const said = capital((text ?? '').trim());
  return !said || /[.!?…]$/.test(said) ? said : `${said}.`;
}

/** What the server says when it does not do what it was asked for, and what to do about it. */
export const refusal = ({ error, hint }) => [error, hint].filter(Boolean).map(sentence).join(' ');
