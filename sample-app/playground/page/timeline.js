// The time line: each action of the operator, and the steps that followed it on both sides.

import { html, milliseconds } from './dom.js';

const names = { library: 'this library', recipe: 'usual recipe' };
/** Rows shown; the charts mark all of them. */
const ROWS = 5;
let shown = '';

/** Redraws the list when something has changed. */
export function showTimeline(list, rows) {
  const newest = rows.slice(0, ROWS);
  const described = JSON.stringify(newest);
  if (described === shown) return;
  shown = described;
  list.replaceChildren(...newest.map(showRow));
}

function showRow({ id, at, title, steps }) {
  const time = html('time', '', new Date(at).toLocaleTimeString('en-GB'));
  const head = html('div', 'row-head', html('span', 'badge', String(id)), html('b', '', title), time);
  const lanes = Object.entries(names)
    .map(([side, name]) =>
      showLane(
        name,
        steps.filter((step) => step.side === side),
      ),
    )
    .filter(Boolean);
  return html('li', '', head, ...lanes);
}

function showLane(name, steps) {
  if (steps.length === 0) return null;
  const chips = steps.map(({ text, tone, after, count }) => {
    const times = count > 1 ? ` ×${count}` : '';
    return html('li', tone, `${text}${times}`, html('small', '', `+${milliseconds(after)}`));
  });
  return html('div', 'lane', html('span', 'lane-name', name), html('ul', 'steps', ...chips));
}
