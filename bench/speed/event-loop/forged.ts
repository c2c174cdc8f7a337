import { setTimeout as wait } from 'node:timers/promises';
import { Child } from '../../support/child.js';
import { connections, get } from '../../support/http-get.js';
import { remote } from '../../support/remote.js';
import { quantile } from '../../support/steady-load.js';
import type { Served } from '../nest/served.js';
import type { ServiceOrder } from '../nest/service.js';
import { OURS_KNOWN } from '../nest/variants.js';
import type { Settings } from '../settings.js';
import type { Algorithm } from '../tokens/algorithms.js';
import { Authorities } from '../tokens/authority.js';
import type { Attacker } from './attacker.js';
import { forger, tokensOf } from './forgeries.js';

/** Known tokens beside forged ones. */
export interface ForgedResult {
  readonly alg: Algorithm;
  /** p99 of a known token in milliseconds, from the moment it is due, per round. */
  readonly calm: readonly number[];
  readonly flooded: readonly number[];
}

const FORGED_PER_SECOND = 5000;
const KNOWN_TOKENS = 100;
/** Milliseconds between two known tokens. */
const INTERVAL = 2;

/** A service on Fastify; known tokens come from this process, forged ones from the attacker's. */
export async function measureForged(
  alg: Algorithm,
  { cacheMax, eventLoop: { rounds, seconds } }: Settings,
): Promise<ForgedResult> {
  await using authorities = await Authorities.start();
  const authority = await authorities.open(alg);
  const order: ServiceOrder = {
    variant: OURS_KNOWN,
    platform: 'fastify',
    trust: authority.trust,
    cacheMax,
  };
  const service = await Child.start(new URL('../nest/service.js', import.meta.url), [JSON.stringify(order)]);
  const attacker = await Child.start(new URL('attacker.js', import.meta.url));
  try {
    const port = await remote<Served>(service.process).port();
    const attack = remote<Attacker>(attacker.process);
    const known = tokensOf(authority, KNOWN_TOKENS);
    const forged = tokensOf(forger(authority), 1000);
    const calm: number[] = [];
    const flooded: number[] = [];
    // Both kinds of request, until the optimizing compiler has seen them.
    await percentile99(port, known, seconds);
    await attack.start(port, FORGED_PER_SECOND, forged);
    await percentile99(port, known, seconds);
    await attack.stop();
    for (let round = 0; round < rounds; round += 1) {
      calm.push(await percentile99(port, known, seconds));
      await attack.start(port, FORGED_PER_SECOND, forged);
      flooded.push(await percentile99(port, known, seconds));
      await attack.stop();
    }
    return { alg, calm, flooded };
  } finally {
    await attacker.end();
    await service.end();
  }
}

async function percentile99(port: number, known: readonly string[], seconds: number): Promise<number> {
  const agent = connections();
  const times: Promise<number>[] = [];
  const end = performance.now() + seconds * 1000;
  for (let due = performance.now() + INTERVAL; due < end; due += INTERVAL) {
    await wait(Math.max(0, due - performance.now()));
    times.push(send(agent, port, known[times.length % known.length], due));
  }
  const taken = await Promise.all(times);
  agent.destroy();
  return quantile(taken, 0.99);
}

/** @returns milliseconds from the moment the request was due */
async function send(
  agent: ReturnType<typeof connections>,
  port: number,
  token: string | undefined,
  due: number,
): Promise<number> {
  const { status } = await get(agent, port, token);
  if (status !== 200) throw new Error(`A known token was answered ${status ?? 'not at all'}`);
  return performance.now() - due;
}
