import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import { inRounds, type Samples } from '../rounds.js';
import type { Platform, Settings } from '../settings.js';
import { Authorities } from '../tokens/authority.js';
import type { Trust } from '../tokens/issuer-process.js';
import type { ProofLoad } from './load.js';
import type { Served } from '../nest/served.js';
import type { ProofServiceOrder } from './service.js';
import { PROOF_ENTRIES, type ProofEntry } from './variants.js';

/** Requests with and without proofs on one platform. */
export interface ProofResult {
  readonly platform: Platform;
  /** Requests answered per second, per round. */
  readonly perSecond: Samples;
  /** Microseconds of processor time per request in the service, all threads together, per round. */
  readonly processorTime: Samples;
}

interface Running {
  readonly child: Child;
  readonly calls: Remote<Served>;
  readonly port: number;
  readonly isProven: boolean;
}

/** A proof of possession with each request beside plain bearer tokens; ES256 for both. */
export async function runProofs({ proofs }: Settings): Promise<readonly ProofResult[]> {
  await using authorities = await Authorities.start();
  const { trust, signers } = await authorities.open('ES256');
  const child = await Child.start(new URL('load.js', import.meta.url));
  const load = remote<ProofLoad>(child.process);
  await load.prepare(trust.audience, signers);
  const results: ProofResult[] = [];
  for (const platform of ['fastify', 'express'] as const) {
    console.log(`proofs of possession on ${platform}`);
    results.push({ platform, ...(await compare(platform, trust, load, proofs)) });
  }
  await child.end();
  return results;
}

async function compare(
  platform: Platform,
  trust: Trust,
  load: Remote<ProofLoad>,
  { rounds, requests }: Settings['proofs'],
): Promise<Omit<ProofResult, 'platform'>> {
  const entries = PROOF_ENTRIES.filter(({ platforms }) => platforms.includes(platform));
  const started = entries.map(async (entry) => [entry.name, await start(entry, platform, trust)] as const);
  const services = new Map(await Promise.all(started));
  for (const { port, isProven } of services.values()) await load.run({ port, isProven, requests });
  const processorTime: Record<string, number[]> = {};
  const perSecond = await inRounds(services, rounds, async ({ calls, port, isProven }, name) => {
    await calls.collectGarbage();
    const before = await calls.processorTime();
    const rate = await load.run({ port, isProven, requests });
    (processorTime[name] ??= []).push(((await calls.processorTime()) - before) / requests);
    return rate;
  });
  for (const { child } of services.values()) await child.end();
  return { perSecond, processorTime };
}

async function start(entry: ProofEntry, platform: Platform, trust: Trust): Promise<Running> {
  const order: ProofServiceOrder = { variant: entry.name, platform, trust };
  const child = await Child.start(new URL('service.js', import.meta.url), [JSON.stringify(order)]);
  const calls = remote<Served>(child.process);
  return { child, calls, port: await calls.port(), isProven: entry.isProven };
}
