import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import { inRounds, type Samples } from '../rounds.js';
import type { Platform, Settings } from '../settings.js';
import type { Algorithm } from '../tokens/algorithms.js';
import { Authorities } from '../tokens/authority.js';
import type { Trust } from '../tokens/issuer-process.js';
import { TokenPool } from '../tokens/token-pool.js';
import type { Load, LoadOrder } from './load.js';
import type { Served } from './served.js';
import type { ServiceOrder } from './service.js';
import { ENTRIES, type Entry } from './variants.js';

export interface NestResult {
  readonly platform: Platform;
  readonly alg: Algorithm;
  /** What sent the requests. */
  readonly generator: string;
  readonly tokenLength: number;
  /** Requests answered per second, per round. */
  readonly perSecond: Samples;
  /** Microseconds of processor time per request in the service, all threads together, per round. */
  readonly processorTime: Samples;
}

/** A service that is running. */
interface Running {
  readonly child: Child;
  readonly calls: Remote<Served>;
  readonly order: Omit<LoadOrder, 'seconds'>;
}

/** Requests through Nest: the service, the load and the issuer in processes of their own. */
export async function runNest(settings: Settings): Promise<readonly NestResult[]> {
  await using authorities = await Authorities.start();
  const load = await Child.start(new URL('load.js', import.meta.url));
  const calls = remote<Load>(load.process);
  // Through files: a pool is too large for a message.
  const directory = await mkdtemp(join(tmpdir(), 'bench-speed-'));
  try {
    const generator = await calls.prepare(directory);
    const results: NestResult[] = [];
    const tokens = new Map<Algorithm, { readonly trust: Trust; readonly tokenLength: number }>();
    for (const alg of new Set(settings.nest.pairs.map((pair) => pair.alg))) {
      const { trust, signers } = await authorities.open(alg);
      const pool = await TokenPool.sign({
        alg,
        audience: trust.audience,
        signers,
        count: settings.newTokens,
      });
      await calls.use(alg, await pool.save(join(directory, alg)));
      tokens.set(alg, { trust, tokenLength: pool.length });
    }
    for (const { alg, platform } of settings.nest.pairs) {
      const made = tokens.get(alg);
      if (!made) throw new Error(`No tokens were made for ${alg}`);
      console.log(`through Nest: ${alg} on ${platform}, load by ${generator}`);
      const samples = await compare(platform, made.trust, calls, settings);
      results.push({ platform, alg, generator, tokenLength: made.tokenLength, ...samples });
    }
    return results;
  } finally {
    await load.end();
    await rm(directory, { recursive: true });
  }
}

async function compare(
  platform: Platform,
  trust: Trust,
  load: Remote<Load>,
  settings: Settings,
): Promise<Pick<NestResult, 'perSecond' | 'processorTime'>> {
  const { rounds, seconds, warmUp } = settings.nest;
  const entries = ENTRIES.filter(({ platforms }) => platforms.includes(platform));
  const started = entries.map(
    async (entry) => [entry.name, await start(entry, platform, trust, settings)] as const,
  );
  const services = new Map(await Promise.all(started));
  for (const service of services.values()) await load.run({ ...service.order, seconds: warmUp });
  const processorTime: Record<string, number[]> = {};
  const perSecond = await inRounds(services, rounds, async ({ calls, order }, name) => {
    await calls.collectGarbage();
    const before = await calls.processorTime();
    const result = await load.run({ ...order, seconds });
    const used = (await calls.processorTime()) - before;
    (processorTime[name] ??= []).push(used / result.answered);
    return result.perSecond;
  });
  for (const { child } of services.values()) await child.end();
  return { perSecond, processorTime };
}

async function start(entry: Entry, platform: Platform, trust: Trust, settings: Settings): Promise<Running> {
  const { cacheMax, newTokens, knownTokens } = settings;
  const order: ServiceOrder = { variant: entry.name, platform, trust, cacheMax };
  const child = await Child.start(new URL('service.js', import.meta.url), [JSON.stringify(order)]);
  const calls = remote<Served>(child.process);
  const rotation = entry.tokens === 'new' ? newTokens : knownTokens;
  return { child, calls, order: { alg: trust.alg, port: await calls.port(), rotation } };
}
