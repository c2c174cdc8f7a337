import { LIMIT_CALLBACK, LIMIT_SYNC } from '../in-process/contenders.js';
import type { InProcessResult } from '../in-process/process.js';
import type { NestResult } from '../nest/layer.js';
import { ENTRIES, UNPROTECTED } from '../nest/variants.js';
import type { Samples } from '../rounds.js';
import { ratio, summarize, type Figure } from '../statistics.js';

/** Requests per second, as a share of another contender's. */
export function throughput({ perSecond }: NestResult, name: string, base: string = UNPROTECTED): Figure {
  return ratio(of(perSecond, name), of(perSecond, base));
}

/** Speed as a share of what the raw signature check allows at the same concurrency. */
export function ofLimit({ one, many }: InProcessResult, name: string, inFlight: 'one' | 'many'): Figure {
  return inFlight === 'one'
    ? ratio(of(one, LIMIT_SYNC), of(one, name))
    : ratio(of(many, LIMIT_CALLBACK), of(many, name));
}

/** The fastest of the peers that had every token new. */
export function bestPeer({ perSecond }: NestResult): string {
  const peers = ENTRIES.filter(
    ({ name, tokens, isOurs }) => tokens === 'new' && !isOurs && name in perSecond,
  );
  const byRate = peers.toSorted((a, b) => rate(perSecond, b.name) - rate(perSecond, a.name));
  return byRate[0]?.name ?? UNPROTECTED;
}

/** @throws when no contender of this name was measured */
export function of(samples: Samples, name: string): readonly number[] {
  const found = samples[name];
  if (!found) throw new Error(`"${name}" was not measured`);
  return found;
}

function rate(samples: Samples, name: string): number {
  return summarize(of(samples, name)).median;
}
