import type { TestIssuerFailure } from 'nestjs-resilient-auth/testing';
import { HOUR, MINUTE, SECOND, type Cell } from '../cell.js';
import type { Row } from './row.js';

type Fault = TestIssuerFailure['mode'];

const FAULTS: readonly (readonly [id: string, title: string, fault: Fault, story: string])[] = [
  ['refused', 'reset', 'refuse', 'every connection is reset'],
  ['hanging', 'hanging', 'hang', 'requests are accepted and never answered'],
  ['slow', 'slow', { slow: '20s' }, 'every answer takes twenty seconds'],
  ['500', '500', { status: 500 }, 'every answer is a 500'],
  ['429', '429', { status: 429, retryAfter: 60 }, 'every answer is a 429 with Retry-After: 60'],
  ['html', 'HTML', 'html', 'every answer is a 200 with a login page'],
  ['empty', 'empty set', 'empty', 'the key set is {"keys":[]}, discovery {}'],
  ['truncated', 'truncated', 'truncated', 'every answer is a 200 with half a document'],
];

export const outages: readonly Row[] = FAULTS.map(([id, title, fault, story]) => ({
  id: `outage-${id}`,
  title: `Outage of a day: ${title}`,
  story: `For 24 hours ${story}. One token of the known key comes every quarter of an hour; then the provider is back.`,
  atOnce: 6,
  quick: id === '500',
  run: (cell) => dayOfFault(cell, fault),
}));

async function dayOfFault(cell: Cell, mode: Fault): Promise<void> {
  await cell.warmUp();
  const harmless = (await cell.provider.forgeries()).filter(isKeyless);
  const tokens = await cell.provider.mint(24 * 4);
  await cell.provider.clearCalls();
  await cell.provider.fail({ mode });
  const begun = cell.now();
  for (const [index, token] of tokens.entries()) {
    await cell.advanceTo(begun + index * 15 * MINUTE);
    await cell.probe('valid', token);
    if (index % 4 === 0) for (const forged of harmless) await cell.probe('forged', forged);
  }
  await cell.advanceTo(begun + 24 * HOUR);
  cell.extras['callsPerHour'] = (await cell.provider.calls()) / 24;
  await cell.provider.recover();
  cell.restored();
  await untilRecovered(cell, await cell.provider.mint(60));
}

/** Probes until three valid tokens in a row are accepted: more would hide the refused ones. */
async function untilRecovered(cell: Cell, tokens: readonly string[]): Promise<void> {
  let good = 0;
  for (const token of tokens) {
    const { refused } = cell.tally;
    await cell.probe('valid', token);
    good = cell.tally.refused === refused ? good + 1 : 0;
    if (good === 3) return;
    await cell.advance(5 * SECOND);
  }
}

/** No key is looked up for it, so it changes nothing about the calls. */
function isKeyless(token: string): boolean {
  return token.endsWith('.');
}

const COLD_PROBES = 20;

export const coldStart: Row = {
  id: 'cold-start',
  title: 'Cold start in an outage',
  story:
    'The service starts while every connection to the provider is reset; a token comes every five seconds. After 100 ' +
    'seconds the provider is back, and tokens go on coming every second.',
  atOnce: 6,
  quick: true,
  run: async (cell) => {
    const tokens = await cell.provider.mint(COLD_PROBES + 60);
    await cell.provider.clearCalls();
    await cell.provider.fail({ mode: 'refuse' });
    await cell.boot();
    for (const token of tokens.slice(0, COLD_PROBES)) {
      await cell.probe('uncheckable', token);
      await cell.advance(5 * SECOND);
    }
    await cell.provider.recover();
    cell.restored();
    for (const token of tokens.slice(COLD_PROBES)) {
      await cell.probe('valid', token);
      await cell.advance(SECOND);
    }
  },
};
