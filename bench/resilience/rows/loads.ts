import { setTimeout as wait } from 'node:timers/promises';
import { MINUTE, SECOND, type Cell } from '../cell.js';
import { Child } from '../../support/child.js';
import { remote } from '../../support/remote.js';
import { residentMegabytes } from '../../support/resident-memory.js';
import { quantile } from '../../support/steady-load.js';
import type { Attacker } from '../attacker.js';
import { Users } from '../users.js';
import type { Row } from './row.js';

export const FLOOD_RATE = 300;
const VALID_RATE = 100;
export const FLOOD_SECONDS = 10;
const CALM_SECONDS = 4;
const FIRST_REQUESTS = 500;

/** Users beside an attack, each at their own rate. A token of `null` is a request without one. */
async function underAttack(cell: Cell, users: Users, tokens: readonly (string | null)[]): Promise<void> {
  await using child = await Child.start(new URL('../attacker.js', import.meta.url));
  const attack = remote<Attacker>(child.process).attack(cell.port, FLOOD_RATE, tokens);
  await users.come(VALID_RATE, tokens.length / FLOOD_RATE);
  cell.countForged(await attack);
}

async function flood(cell: Cell): Promise<void> {
  await cell.warmUp();
  const valid = await cell.provider.mint(200);
  const nothing = Array<null>(FLOOD_RATE * CALM_SECONDS).fill(null);
  const memoryIdle = residentMegabytes(cell.pid);
  // A first flood warms up the code and makes the heap as large as waiting requests need it; a leak shows in the second.
  const first = await cell.provider.tokensOfUnknownKeys(FLOOD_RATE * FLOOD_SECONDS);
  const second = await cell.provider.tokensOfUnknownKeys(FLOOD_RATE * FLOOD_SECONDS);
  await underAttack(cell, new Users(cell, valid), first);
  await cell.advance(2 * MINUTE);
  const before = new Users(cell, valid);
  await underAttack(cell, before, nothing);
  const memoryBefore = residentMegabytes(cell.pid);
  const keptBefore = await cell.service.memoryKept();
  const settledBefore = residentMegabytes(cell.pid);
  await cell.beginCount();
  await cell.service.watchEventLoop();
  const during = new Users(cell, valid);
  await underAttack(cell, during, second);
  const delay = await cell.service.eventLoopDelay();
  cell.endCount();
  await cell.advance(2 * MINUTE);
  const after = new Users(cell, valid);
  await underAttack(cell, after, nothing);
  Object.assign(cell.extras, {
    ...delay,
    validP99: quantile(during.took, 0.99),
    validP99WithoutTokens: quantile([...before.took, ...after.took], 0.99),
    memoryIdle,
    memoryBefore,
    memoryAfter: residentMegabytes(cell.pid),
    keptBefore,
    keptAfter: await cell.service.memoryKept(),
    settledBefore,
    settledAfter: residentMegabytes(cell.pid),
  });
}

async function floodAndRollover(cell: Cell): Promise<void> {
  const fresh = await cell.provider.prepareRollover(200);
  await cell.warmUp();
  const users = new Users(cell, await cell.provider.mint(200));
  const attack = underAttack(
    cell,
    users,
    await cell.provider.tokensOfUnknownKeys(FLOOD_RATE * FLOOD_SECONDS),
  );
  const rollover = (async () => {
    await wait((FLOOD_SECONDS / 3) * SECOND);
    // Tokens of the old key still in flight would be refused rightly.
    await users.pause();
    await cell.provider.rollOver();
    cell.restored();
    users.resume(fresh);
  })();
  await Promise.all([attack, rollover]);
}

export const loads: readonly Row[] = [
  {
    id: 'flood',
    title: 'Flood of unknown keys',
    story: `${FLOOD_RATE} tokens a second of keys that do not exist, each another, for ${FLOOD_SECONDS} seconds, beside ${VALID_RATE} valid ones a second.`,
    atOnce: 1,
    quick: true,
    run: flood,
  },
  {
    id: 'flood-rollover',
    title: 'Flood plus rollover',
    story: `The same flood; after ${FLOOD_SECONDS / 3} seconds the key is replaced with no overlap, and the valid tokens are of the new key.`,
    atOnce: 1,
    quick: true,
    run: floodAndRollover,
  },
  {
    id: 'first-requests',
    title: 'Five hundred first requests',
    story: `${FIRST_REQUESTS} valid requests at once to a service that has just started, with a provider that takes 300 ms to answer.`,
    atOnce: 1,
    quick: false,
    run: async (cell) => {
      const tokens = await cell.provider.mint(FIRST_REQUESTS);
      await cell.provider.fail({ mode: { slow: 300 } });
      await cell.provider.clearCalls();
      await cell.boot();
      await cell.probeAll('valid', tokens);
    },
  },
];
