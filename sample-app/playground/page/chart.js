// Charts of the last minute, drawn by hand: columns of half a second, the newest at the right edge.

import { svg } from './dom.js';

const MINUTE = 60_000;
const MARK_SPACE = 18;
const MARK_RADIUS = 8;

/**
 * Valid requests upwards, forged and withdrawn tokens downwards, a numbered line for each action.
 *
 * @param {SVGSVGElement} chart
 */
export function drawTraffic(chart, { buckets, marks, now, bucketLength }) {
  const { clientWidth: width, clientHeight: height } = chart;
  // The newest column is still being filled.
  const full = buckets.slice(0, -1);
  const perSecond = 1000 / bucketLength;
  const top = Math.max(48, ...full.map((b) => sent(b) * perSecond));
  const bottom = Math.max(120, ...full.map((b) => (b.stopped + b.passed) * perSecond));
  const axis = Math.round(MARK_SPACE + (height - MARK_SPACE) * 0.72);
  const up = ((axis - MARK_SPACE) / top) * perSecond;
  const down = ((height - axis) / bottom) * perSecond;
  const column = width / full.length;

  const layers = [
    columns('accepted', full, column, (b) => [0, b.accepted], axis, -up),
    columns('waiting', full, column, (b) => [b.accepted, b.waiting], axis, -up),
    columns('unavailable', full, column, (b) => [b.accepted + b.waiting, b.unavailable], axis, -up),
    columns('refused', full, column, (b) => [sent(b) - b.refused, b.refused], axis, -up),
    columns('stopped', full, column, (b) => [0, b.stopped], axis, down),
    columns('refused', full, column, (b) => [b.stopped, b.passed], axis, down),
  ];
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`);
  chart.replaceChildren(
    hatch('refused'),
    hatch('unavailable'),
    ...layers,
    svg('path', { class: 'axis', d: `M0 ${axis}H${width}` }),
    ...drawMarks(marks, { now, width, height }),
  );
  chart.setAttribute('aria-label', describe(full));
}

/** Requests of both sides at the provider: the library upwards, the recipe downwards. */
export function drawRequests(chart, { buckets }) {
  const { clientWidth: width, clientHeight: height } = chart;
  const full = buckets.slice(0, -1);
  const most = Math.max(4, ...full.map((b) => Math.max(b.library, b.recipe)));
  const axis = Math.round(height / 2);
  const scale = axis / most;
  const column = width / full.length;
  chart.setAttribute('viewBox', `0 0 ${width} ${height}`);
  chart.replaceChildren(
    columns('accepted', full, column, (b) => [0, b.library], axis, -scale),
    columns('stopped', full, column, (b) => [0, b.recipe], axis, scale),
    svg('path', { class: 'axis', d: `M0 ${axis}H${width}` }),
  );
  const total = (side) => full.reduce((sum, b) => sum + b[side], 0);
  chart.setAttribute(
    'aria-label',
    `Requests at the provider in the last minute: ${total('library')} by the library, ${total('recipe')} by the recipe`,
  );
}

function columns(className, buckets, column, extent, axis, scale) {
  const d = buckets.map((bucket, index) => {
    const [from, size] = extent(bucket);
    if (size === 0) return '';
    const x = (index * column).toFixed(1);
    return `M${x} ${(axis + from * scale).toFixed(1)}v${(size * scale).toFixed(1)}h${(column + 0.3).toFixed(1)}v${(-size * scale).toFixed(1)}z`;
  });
  return svg('path', { class: className, d: d.join('') });
}

/** Marks are newest first; where they are close, only the newest has its number. */
function drawMarks(marks, { now, width, height }) {
  let free = width;
  return marks.flatMap(({ at, id }) => {
    const x = width * (1 - (now - at) / MINUTE);
    if (x < 8) return [];
    const line = svg('path', { class: 'mark', d: `M${x.toFixed(1)} ${MARK_SPACE - 2}V${height}` });
    if (x > free) return [line];
    free = x - 2 * MARK_RADIUS - 1;
    const cx = Math.min(x, width - MARK_RADIUS - 1).toFixed(1);
    return [
      line,
      svg('circle', { class: 'flag', cx, cy: MARK_RADIUS + 1, r: MARK_RADIUS }),
      svg('text', { class: 'flag-text', x: cx, y: 12.5, 'text-anchor': 'middle' }, String(id)),
    ];
  });
}

function sent({ accepted, waiting, unavailable, refused }) {
  return accepted + waiting + unavailable + refused;
}

/** What is not accepted is hatched, too: colour alone must not carry it. */
function hatch(name) {
  const defs = svg('defs', {});
  const pattern = svg('pattern', {
    id: `hatch-${name}`,
    width: 6,
    height: 6,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  });
  pattern.append(
    svg('rect', { class: `ground-${name}`, width: 6, height: 6 }),
    svg('path', { class: 'hatch-line', d: 'M0 0V6' }),
  );
  defs.append(pattern);
  return defs;
}

function describe(buckets) {
  const total = (name) => buckets.reduce((sum, bucket) => sum + bucket[name], 0);
  return (
    `Last minute: ${total('accepted')} valid requests accepted, ${total('refused')} refused, ` +
    `${total('unavailable')} answered 503, ` +
    `${total('waiting')} waiting; ${total('stopped')} forged or withdrawn tokens refused, ${total('passed')} accepted`
  );
}
