// How what the server says becomes words on the page. Pure: the same input says the same.

/** "the camera rests" as "The camera rests" */
export const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : '');

/** "the camera rests" as "The camera rests."; nothing of nothing. */
export function sentence(text) {
  const said = capital((text ?? '').trim());
  return !said || /[.!?…]$/.test(said) ? said : `${said}.`;
}
