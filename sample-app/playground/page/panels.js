// Everything that shows the state of the playground.

import { drawRequests, drawTraffic } from './chart.js';
import { find, findAll, html, milliseconds, number, setFacts, setText } from './dom.js';
import { showTimeline } from './timeline.js';

const situations = {
  none: 'The provider works',
  down: 'The provider is down',
  hang: 'The provider hangs',
  html: 'The provider answers HTML',
  slow: 'The provider is slow',
};
/** Columns that count as "now": five seconds. */
const RECENT = 10;

export function showState(state) {
  const marks = state.timeline.map(({ id, at }) => ({ id, at }));
  for (const [name, side] of Object.entries(state.sides)) showSide(name, side, { ...state, marks });
  showStatus(find('[data-status]'), sentence(state));
  showTimeline(find('[data-timeline]'), state.timeline);
  showSnapshot(state.snapshot);
  showProvider(state.provider);
}

function showSide(name, { totals, buckets }, { marks, now, bucketLength }) {
  const card = find(`[data-side=${name}]`);
  showTotal(find('[data-total=refused]', card), totals.refused + totals.unavailable);
  showTotal(find('[data-total=passed]', card), totals.passed);
  const reasons = [
    [totals.unavailable, 'refused with 503: try again'],
    [totals.rateLimited, 'refused by its own rate limit of key set requests'],
  ].flatMap(([count, reason]) => (count > 0 ? `${number(count)} ${reason}` : []));
  setText(find('[data-reasons]', card), reasons.join('; '));
  const last = sum(buckets.slice(-5, -1), (b) => b.accepted + b.refused + b.unavailable + b.waiting);
  const facts = {
    rate: `${Math.round(last / ((4 * bucketLength) / 1000))} a second`,
    accepted: number(totals.accepted),
    waiting: number(totals.waiting),
    stopped: number(totals.stopped),
    slowest: totals.accepted > 0 ? milliseconds(totals.slowest) : '–',
  };
  for (const [fact, text] of Object.entries(facts)) setText(find(`[data-fact=${fact}]`, card), text);
  drawTraffic(find('[data-chart]', card), { buckets, marks, now, bucketLength });
}

function showTotal(output, value) {
  setText(output, number(value));
  output.classList.toggle('bad', value > 0);
}

/** One sentence that says what one sees. */
function sentence({ load, provider, sides }) {
  const flood = load.isFlooding ? ', and forged tokens flood both APIs' : '';
  const situation = `${situations[provider.fault]}${flood}.`;
  if (!load.isOn) return [`${situation} The load is off.`];
  return [
    `${situation} Of the valid requests, this library refuses `,
    html('b', '', share(sides.library)),
    ' and the usual recipe ',
    html('b', '', share(sides.recipe)),
    `${limited(sides.recipe)}.`,
  ];
}

/** Redraws only what has changed: the element is read out when it changes. */
function showStatus(node, parts) {
  const text = parts.map((part) => part.textContent ?? part).join('');
  if (node.textContent !== text) node.replaceChildren(...parts);
}

function share({ buckets }) {
  const recent = buckets.slice(-RECENT);
  const refused = sum(recent, (b) => b.refused + b.unavailable);
  const all = refused + sum(recent, (b) => b.accepted + b.waiting);
  if (refused === 0) return 'none';
  return refused === all ? 'all' : `${Math.max(1, Math.round((100 * refused) / all))} %`;
}

/** Whether it is the recipe itself that refuses, since it may fetch no key set in this minute. */
function limited({ buckets }) {
  const recent = buckets.slice(-RECENT);
  const count = sum(recent, (b) => b.rateLimited);
  if (count === 0) return '';
  return count === sum(recent, (b) => b.refused + b.unavailable)
    ? ', by its own rate limit'
    : ', in part by its own rate limit';
}

function showSnapshot({ state, keyIds, age, nextRefreshIn, lastFailure, waiting, budget }) {
  setFacts(find('[data-snapshot]'), [
    ['state', state],
    ['keys', keyIds.map(short).join(', ') || 'none'],
    ['checked', age === undefined ? 'never' : `${milliseconds(Math.max(0, age))} ago`],
    ['next refresh', nextRefreshIn === undefined ? '–' : `in ${milliseconds(Math.max(0, nextRefreshIn))}`],
    ['refreshes available on demand', `${budget.available} of ${budget.burst}`],
    ['requests waiting for a refresh', number(waiting)],
    ['last failure', lastFailure ?? 'none'],
  ]);
}

const uses = { signs: 'signs', published: 'still published', announced: 'published ahead' };

function showProvider({ issuer, keys, totals, buckets }) {
  setFacts(find('[data-provider]'), [
    ['issuer', issuer],
    ['keys', keys.map(({ kid, use }) => `${short(kid)} ${uses[use]}`).join(', ')],
    ['requests by this library', number(totals.library)],
    ['requests by the usual recipe', number(totals.recipe)],
  ]);
  drawRequests(find('[data-provider-chart]'), { buckets });
}

/** Sets the controls as the server has them: another page may have changed them. */
export function showControls({ provider, load }) {
  for (const radio of findAll('[name=fault]')) radio.checked = radio.value === provider.fault;
  find('[data-switch=load]').checked = load.isOn;
  find('[data-switch=flood]').checked = load.isFlooding;
}

function short(kid) {
  return kid.slice(0, 4);
}

function sum(buckets, value) {
  return buckets.reduce((total, bucket) => total + value(bucket), 0);
}
