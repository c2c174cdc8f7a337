// Small helpers over the DOM. Text is set as text, never as markup.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * The one element that matches, or an error that names the selector.
 *
 * @returns {any} an element of the kind that the selector names
 */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`No element matches ${selector}`);
  return found;
}

/**
 * All elements that match.
 *
 * @returns {any[]} elements of the kind that the selector names
 */
export function findAll(selector) {
  return [...document.querySelectorAll(selector)];
}

/** Sets text only when it changes, so that a selection survives. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** An HTML element with a class and children (elements or text). */
export function html(name, className, ...children) {
  const node = document.createElement(name);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** An SVG element with attributes and text. */
export function svg(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Fills a description list: pairs of a term and its text. Rows are reused. */
export function setFacts(list, facts) {
  facts.forEach(([term, text], index) => {
    const row = list.children[index] ?? list.appendChild(html('div', '', html('dt', ''), html('dd', '')));
    setText(row.children[0], term);
    setText(row.children[1], text);
  });
  while (list.children.length > facts.length) list.lastElementChild.remove();
}

const numbers = new Intl.NumberFormat('en');

export function number(value) {
  return numbers.format(value);
}

export function milliseconds(value) {
  return value < 1000 ? `${Math.max(1, Math.round(value))} ms` : `${(value / 1000).toFixed(1)} s`;
}

/** Sends a POST request of the playground. */
export async function post(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'X-Playground': '1', ...(body && { 'Content-Type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}
