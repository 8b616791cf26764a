// Drawings made by scripts: attributes and classes alone, as the content security policy allows no style in them.

/** A part of the width, from 0 to 1. */
export const percent = (part) => `${(100 * part).toFixed(3)}%`;

/** An element of SVG with these attributes and children, texts or elements. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
