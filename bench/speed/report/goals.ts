import type { GrowthCell } from '../growth/process.js';
import { FAST_JWT_KNOWN, OURS, OURS_KNOWN as KNOWN_IN_PROCESS } from '../in-process/contenders.js';
import { LOOK_UP, OPEN, OURS_KNOWN, OURS_NEW, OURS_OBSERVED, RECIPE } from '../nest/variants.js';
import type { Platform } from '../settings.js';
import { ratio, summarize, type Figure } from '../statistics.js';
import type { Algorithm } from '../tokens/algorithms.js';
import { bestPeer, of, ofLimit, throughput } from './comparisons.js';
import type { Results } from './results.js';
import { fineMilliseconds, megabytes, microseconds, times } from './wording.js';

/** A figure to reach, and whether it is. */
export interface Goal {
  readonly figure: string;
  readonly reach: string;
  readonly measured: string;
  readonly isReached: boolean;
}

export function goals(results: Results): readonly Goal[] {
  return [
    ...known(results, 'fastify'),
    ...known(results, 'express'),
    ...againstRecipe(results),
    ...againstBestPeer(results),
    ...ofRawVerify(results),
    ...knownInProcess(results),
    observed(results),
    ...underAttack(results),
    memory(results),
    ...flat('keys in the set', results.growth.keys),
    ...flat('issuers', results.growth.issuers),
  ];
}

function known({ nest }: Results, platform: Platform): Goal[] {
  return nest
    .filter((result) => result.platform === platform)
    .map((result) => {
      const name = `known token, Nest on ${title(platform)}, ${result.alg}, of ${OPEN}`;
      const goal = atLeast(name, 0.9, throughput(result, OURS_KNOWN, OPEN));
      const bound = times(throughput(result, LOOK_UP, OPEN));
      return { ...goal, measured: `${goal.measured}; ${LOOK_UP}: ${bound}` };
    });
}

function againstRecipe({ nest }: Results): Goal[] {
  const least: Partial<Record<Algorithm, number>> = { RS256: 4.5, ES256: 5.5 };
  return nest
    .filter(({ platform }) => platform === 'fastify')
    .map((result) =>
      atLeast(
        `known token, Fastify, ${result.alg}, against the recipe`,
        least[result.alg] ?? Number.NaN,
        throughput(result, OURS_KNOWN, RECIPE),
      ),
    );
}

function againstBestPeer({ nest }: Results): Goal[] {
  return nest.map((result) => {
    const peer = bestPeer(result);
    const figure = throughput(result, OURS_NEW, peer);
    const name = `new token, ${title(result.platform)}, ${result.alg}, against the best peer (${peer})`;
    // Equal is enough, and a difference within the spread of the run is equal.
    const least = result.platform === 'fastify' ? 1.2 : 1;
    return { ...atLeast(name, least, figure), isReached: figure.high >= least };
  });
}

function ofRawVerify({ inProcess }: Results): Goal[] {
  return inProcess
    .filter(({ alg }) => alg === 'RS256')
    .flatMap((result) => [
      atLeast(
        'new token, in process, RS256, one in flight, of raw `crypto.verify`',
        0.8,
        ofLimit(result, OURS, 'one'),
      ),
      atLeast(
        'new token, in process, RS256, 64 in flight, of raw `crypto.verify`',
        0.8,
        ofLimit(result, OURS, 'many'),
      ),
    ]);
}

function knownInProcess({ inProcess }: Results): Goal[] {
  return inProcess.flatMap(({ alg, one }) => {
    const cost = summarize(of(one, KNOWN_IN_PROCESS));
    const figure = ratio(of(one, FAST_JWT_KNOWN), of(one, KNOWN_IN_PROCESS));
    return [
      {
        figure: `known token, in process, ${alg}`,
        reach: '≤ 4 µs',
        measured: microseconds(cost),
        isReached: cost.median <= 4,
      },
      atLeast(`known token, in process, ${alg}, against fast-jwt with cache`, 1, figure),
    ];
  });
}

function observed({ injected }: Results): Goal {
  const figure = ratio(of(injected, OURS_OBSERVED), of(injected, OURS_KNOWN));
  return {
    figure: 'request with a known token, with openTelemetry() and no SDK, against without',
    reach: '≤ 1.02×',
    measured: times(figure),
    isReached: figure.median <= 1.02,
  };
}

function underAttack({ eventLoop: { forged, holds } }: Results): Goal[] {
  const ratios = forged.map(({ alg, calm, flooded }) => {
    const figure = ratio(flooded, calm);
    const name = `p99 of known tokens, ${alg}, with 5,000 forged signatures a second, against none`;
    return { figure: name, reach: '≤ 2.00×', measured: times(figure), isReached: figure.median <= 2 };
  });
  const longest = holds.map((hold) => summarize(hold.longest)).toSorted((a, b) => b.median - a.median)[0];
  if (!longest) return ratios;
  const measured = fineMilliseconds(longest);
  const isReached = longest.median <= 20;
  return [
    ...ratios,
    { figure: 'longest hold of the event loop by any input', reach: '≤ 20 ms', measured, isReached },
  ];
}

function memory({ growth: { cachedTokens } }: Results): Goal {
  return {
    figure: '10,000 cached tokens of 1 KiB',
    reach: '≤ 12 MB',
    measured: megabytes(cachedTokens.memory),
    isReached: cachedTokens.memory <= 12e6,
  };
}

function flat(what: string, cells: readonly GrowthCell[]): Goal[] {
  const first = cells[0];
  const last = cells.at(-1);
  if (!first || !last) return [];
  return (['known', 'fresh'] as const).map((kind) => {
    const figure = ratio(last[kind], first[kind]);
    return {
      figure: `cost of a ${kind === 'known' ? 'known' : 'new'} token, ${last.size} ${what} against ${first.size}`,
      reach: '0.90 to 1.10×',
      measured: times(figure),
      isReached: Math.abs(figure.median - 1) <= 0.1,
    };
  });
}

function atLeast(figure: string, least: number, measured: Figure): Goal {
  return {
    figure,
    reach: `≥ ${least.toFixed(2)}×`,
    measured: times(measured),
    isReached: measured.median >= least,
  };
}

function title(platform: Platform): string {
  return platform === 'fastify' ? 'Fastify' : 'Express';
}
