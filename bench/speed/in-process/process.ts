import { expose } from '../../support/remote.js';
import { inRounds, type Samples } from '../rounds.js';
import { MANY, type Settings } from '../settings.js';
import { Lane } from '../stopwatch.js';
import type { Algorithm } from '../tokens/algorithms.js';
import { Authorities } from '../tokens/authority.js';
import { TokenPool } from '../tokens/token-pool.js';
import { contendersFor } from './contenders.js';
import { assertEqualChecks } from './equal-checks.js';

/** Enough for the optimizing compiler. */
const WARM_UP = 2000;

/** Microseconds per validation. */
export interface InProcessResult {
  readonly alg: Algorithm;
  readonly tokenLength: number;
  readonly one: Samples;
  readonly many: Samples;
}

/** Validation without a server, all contenders in this one process. */
export class InProcess {
  async run(alg: Algorithm, settings: Settings): Promise<InProcessResult> {
    await using authorities = await Authorities.start();
    const authority = await authorities.open(alg);
    const { trust, signers } = authority;
    const pool = await TokenPool.sign({ alg, audience: trust.audience, signers, count: settings.newTokens });
    const contenders = await contendersFor(authority, settings);
    await assertEqualChecks(authority, contenders);

    const lanes = new Map<string, Lane>();
    for (const [name, { bind, tokens, remembers }] of contenders) {
      const rotation = tokens === 'known' ? settings.knownTokens : pool.count;
      const lane = new Lane(bind, pool, rotation);
      await lane.warmUp(tokens === 'new' && remembers ? rotation : WARM_UP);
      lanes.set(name, lane);
    }
    const { rounds, batch } = settings.inProcess;
    const one = await inRounds(lanes, rounds, (lane, name) =>
      contenders.get(name)?.tokens === 'new' ? lane.measureInTurns(batch) : lane.measure(1, batch),
    );
    const many = await inRounds(lanes, rounds, (lane) => lane.measure(MANY, batch));
    return { alg, tokenLength: pool.length, one, many };
  }
}

expose(new InProcess());
