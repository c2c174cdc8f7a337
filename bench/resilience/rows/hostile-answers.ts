import { setTimeout as wait } from 'node:timers/promises';
import { SECOND, type Cell } from '../cell.js';
import { residentMegabytes } from '../../support/resident-memory.js';
import type { Row } from './row.js';

/** Megabytes of growth at which a service is ended. */
const MEMORY_LIMIT = 1500;
const SECONDS = 6;
const ANSWER_TIMEOUT = 6 * SECOND;

/** Watches the service's memory until aborted, and ends the service when it exceeds the limit. */
async function watchMemory(cell: Cell, stop: AbortSignal): Promise<number> {
  let peak = 0;
  while (!stop.aborted && cell.isServiceRunning) {
    peak = Math.max(peak, residentMegabytes(cell.pid));
    if (peak > MEMORY_LIMIT) await cell.endService();
    await wait(20);
  }
  return peak;
}

async function hugeBody(cell: Cell): Promise<void> {
  await cell.warmUp();
  const known = await cell.provider.signingKey();
  const fresh = await cell.provider.publishKey();
  const before = residentMegabytes(cell.pid);
  await cell.provider.fail({ endpoint: 'jwks', mode: 'endless' });
  const done = new AbortController();
  const watch = watchMemory(cell, done.signal);
  const [valid, uncheckable] = [
    await cell.provider.mint(SECONDS * 10, known),
    await cell.provider.mint(SECONDS * 2, fresh),
  ];
  const answers: Promise<void>[] = [];
  for (const [index, token] of valid.entries()) {
    answers.push(cell.probeAll('valid', [token], ANSWER_TIMEOUT));
    if (index % 5 === 0)
      answers.push(cell.probeAll('uncheckable', uncheckable.slice(index / 5, index / 5 + 1), ANSWER_TIMEOUT));
    await wait(100);
  }
  await cell.provider.recover();
  cell.restored();
  await Promise.all(answers);
  done.abort();
  Object.assign(cell.extras, { memoryBefore: before, memoryPeak: await watch });
  for (const token of await cell.provider.mint(5, fresh)) {
    await cell.probe('valid', token);
    if (cell.isServiceRunning) await cell.advance(SECOND);
  }
}

export const hostileAnswers: readonly Row[] = [
  {
    id: 'huge-body',
    title: 'Never-ending body',
    story:
      `The key set's answer never ends, as fast as it is read. For ${SECONDS} seconds tokens of the known key come, ten a second, ` +
      `and two a second of a new one; then the provider is back. A service beyond ${MEMORY_LIMIT} MB is ended.`,
    atOnce: 3,
    quick: false,
    run: hugeBody,
  },
  {
    id: 'redirect',
    title: 'Redirect to an attacker',
    story:
      "The key set answers with a redirect to an attacker, who has signed tokens in the issuer's name. They come beside " +
      'valid ones, every minute for half an hour.',
    atOnce: 6,
    quick: false,
    run: async (cell) => {
      await cell.warmUp();
      const forged = await cell.provider.redirectToAttacker(30);
      const valid = await cell.provider.mint(30);
      await cell.provider.clearCalls();
      for (const [index, token] of valid.entries()) {
        await cell.probe('valid', token);
        await cell.probe('forged', forged[index] ?? '');
        await cell.advance(60 * SECOND);
      }
    },
  },
];
