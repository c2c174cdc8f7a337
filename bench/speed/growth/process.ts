import { setTimeout as wait } from 'node:timers/promises';
import { expose } from '../../support/remote.js';
import { heapInUse } from '../heap.js';
import { startResilientAuth } from '../resilient-auth.js';
import { inRounds } from '../rounds.js';
import { MANY, type Settings } from '../settings.js';
import { Lane } from '../stopwatch.js';
import { Authorities, type Authority } from '../tokens/authority.js';
import type { Trust } from '../tokens/issuer-process.js';
import { TokenPool } from '../tokens/token-pool.js';

/** What one size costs. */
export interface GrowthCell {
  readonly size: number;
  /** Microseconds per request, per round. */
  readonly known: readonly number[];
  /** The same for tokens never seen; empty where the size itself decides which they are. */
  readonly fresh: readonly number[];
  /** What the application holds in memory, in bytes. */
  readonly memory: number;
}

const ALG = 'ES256';
const WARM_UP = 5000;
/** A small cache: a thousand tokens in rotation are then always new. */
const FRESH = { tokens: 1000, cacheMax: 100 };

/** One figure as tokens, keys or issuers grow in number, all in this one process. */
export class Growth {
  /** 1, 100 … distinct tokens in rotation, with the default cache. */
  async tokens(settings: Settings): Promise<GrowthCell[]> {
    const { rounds, batch, mostTokens } = settings.growth;
    await using authorities = await Authorities.start();
    const { trust, signers } = await authorities.open(ALG);
    const pool = await TokenPool.sign({ alg: ALG, audience: trust.audience, signers, count: mostTokens });
    await loadCode(trust, pool);

    const sizes = [1, 100, 10_000, mostTokens];
    const lanes = new Map<string, Lane>();
    const memory = new Map<string, number>();
    for (const size of sizes) {
      const before = await heapInUse();
      const { bind } = await startResilientAuth([trust]);
      const lane = new Lane(bind, pool, size);
      // The largest rotation is not warmed up: each of its tokens is used once, in the rounds.
      await lane.warmUp(size === mostTokens ? WARM_UP : Math.max(WARM_UP, size));
      lanes.set(String(size), lane);
      memory.set(String(size), (await heapInUse()) - before);
    }
    const most = String(mostTokens);
    const before = await heapInUse();
    const samples = await inRounds(lanes, rounds, (lane, name) =>
      name === most ? lane.measureCalls(MANY, Math.floor(mostTokens / rounds)) : lane.measure(MANY, batch),
    );
    memory.set(most, (memory.get(most) ?? 0) + (await heapInUse()) - before);
    return sizes.map((size) => ({
      size,
      known: samples[String(size)] ?? [],
      fresh: [],
      memory: memory.get(String(size)) ?? Number.NaN,
    }));
  }

  /** Keys in the set of one issuer; the tokens are signed by all of them in turn. */
  async keys(settings: Settings): Promise<GrowthCell[]> {
    await using authorities = await Authorities.start();
    return await this.#compare(settings, [1, 10, 250], async (size) => [await authorities.open(ALG, size)]);
  }

  /** Issuers, with one key each; the tokens come from all of them in turn. */
  async issuers(settings: Settings): Promise<GrowthCell[]> {
    await using authorities = await Authorities.start();
    return await this.#compare(settings, [1, 10, 500], async (size) => {
      const opened: Authority[] = [];
      for (let count = 0; count < size; count += 1) opened.push(await authorities.open(ALG));
      return opened;
    });
  }

  /** What 10,000 tokens of 1 KiB take in the default cache, in bytes. */
  async cachedTokens(): Promise<{ readonly tokenLength: number; readonly memory: number }> {
    await using authorities = await Authorities.start();
    const { trust, signers } = await authorities.open(ALG);
    const order = { alg: ALG, audience: trust.audience, signers, count: 10_000 } as const;
    const pool = await TokenPool.signOfLength(order, 1024);
    const { bind } = await startResilientAuth([trust]);
    const lane = new Lane(bind, pool);
    await loadCode(trust, pool);
    const before = await heapInUse();
    await lane.measureCalls(MANY, pool.count);
    return { tokenLength: pool.length, memory: (await heapInUse()) - before };
  }

  async #compare(
    { growth: { rounds, batch, rest } }: Settings,
    sizes: readonly number[],
    open: (size: number) => Promise<readonly Authority[]>,
  ): Promise<GrowthCell[]> {
    const known = new Map<string, Lane>();
    const fresh = new Map<string, Lane>();
    const memory = new Map<number, number>();
    for (const size of sizes) {
      const authorities = await open(size);
      const trusted = authorities.map(({ trust }) => trust);
      const signers = authorities.flatMap((authority) => authority.signers);
      const pool = await TokenPool.sign({ alg: ALG, audience: 'api', signers, count: FRESH.tokens });
      const [first] = trusted;
      if (first) await loadCode(first, pool);
      const before = await heapInUse();
      const hot = await startResilientAuth(trusted);
      if (trusted.length > 1) await wait(rest * 1000);
      memory.set(size, (await heapInUse()) - before);
      known.set(String(size), new Lane(hot.bind, pool));
      fresh.set(
        String(size),
        new Lane((await startResilientAuth(trusted, { max: FRESH.cacheMax })).bind, pool),
      );
    }
    for (const lane of known.values()) await lane.warmUp(WARM_UP);
    for (const lane of fresh.values()) await lane.warmUp(FRESH.tokens);
    const knownCosts = await inRounds(known, rounds, (lane) => lane.measure(1, batch));
    const freshCosts = await inRounds(fresh, rounds, (lane) => lane.measure(1, batch));
    return sizes.map((size) => ({
      size,
      known: knownCosts[String(size)] ?? [],
      fresh: freshCosts[String(size)] ?? [],
      memory: memory.get(size) ?? Number.NaN,
    }));
  }
}

/** Loads and compiles first, so that the first size is not charged for it. */
async function loadCode(trust: Trust, pool: TokenPool): Promise<void> {
  const { app, bind } = await startResilientAuth([trust]);
  await new Lane(bind, pool, 1).warmUp(WARM_UP);
  await app.close();
}

expose(new Growth());
