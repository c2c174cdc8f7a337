import { setImmediate as nextTurn } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { expose } from '../../support/remote.js';
import { collectGarbage } from '../heap.js';
import { INJECTED } from '../nest/variants.js';
import type { Samples } from '../rounds.js';
import type { Settings } from '../settings.js';
import { summarize } from '../statistics.js';
import { Authorities } from '../tokens/authority.js';
import { TokenPool } from '../tokens/token-pool.js';

/** Calls of one variant before it is the turn of the next: a disturbance of the machine lasts longer. */
const SLICE = 40;
/** Enough for the optimizing compiler. */
const WARM_UP = 8000;

/** One variant, called without a network. */
class Subject {
  #next = 0;
  /** Microseconds per call, of each slice. */
  #costs: number[] = [];

  constructor(
    private readonly app: NestFastifyApplication,
    private readonly pool: TokenPool,
  ) {}

  async call(times: number): Promise<void> {
    const headers = Array.from({ length: times }, () => ({
      authorization: `Bearer ${this.pool.token(this.#next++)}`,
    }));
    // Fastify lets go of an injected request in a turn of the event loop only.
    await nextTurn();
    const begun = performance.now();
    for (const each of headers) {
      const { statusCode } = await this.app.inject({ method: 'GET', url: '/', headers: each });
      if (statusCode !== 200) throw new Error(`Answered with ${statusCode}`);
    }
    this.#costs.push(((performance.now() - begun) * 1000) / times);
  }

  /** @returns the median since the last time: one slice pays for the garbage of many */
  endRound(): number {
    const { median } = summarize(this.#costs);
    this.#costs = [];
    return median;
  }
}

/**
 * Variants that differ by a few microseconds, in one process and in short turns: over a network, and in processes of
 * their own, the machine's noise is larger than the difference.
 */
export class Injected {
  /** @returns microseconds per request */
  async run({ knownTokens: count, cacheMax, injected: { rounds, slices } }: Settings): Promise<Samples> {
    await using authorities = await Authorities.start();
    const { trust, signers } = await authorities.open('ES256');
    const pool = await TokenPool.sign({ alg: 'ES256', audience: trust.audience, signers, count });
    const subjects = new Map<string, Subject>();
    for (const { name, start } of INJECTED) {
      const { module } = await start(trust, cacheMax);
      const adapter = new FastifyAdapter();
      const app = await NestFactory.create<NestFastifyApplication>(module, adapter, { logger: false });
      await app.init();
      const subject = new Subject(app, pool);
      await subject.call(WARM_UP);
      subject.endRound();
      subjects.set(name, subject);
    }
    const samples: Record<string, number[]> = {};
    for (let round = 0; round < rounds; round += 1) {
      collectGarbage();
      for (let slice = 0; slice < slices; slice += 1) {
        // In both directions, so that none always pays for the garbage of the same other.
        const turn = [...subjects.values()];
        for (const subject of slice % 2 === 0 ? turn : turn.toReversed()) await subject.call(SLICE);
      }
      for (const [name, subject] of subjects) (samples[name] ??= []).push(subject.endRound());
    }
    return samples;
  }
}

expose(new Injected());
