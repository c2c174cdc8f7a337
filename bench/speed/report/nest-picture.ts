import type { NestResult } from '../nest/layer.js';
import { ENTRIES, UNPROTECTED } from '../nest/variants.js';
import { barPicture, type Bar, type Panel } from './bars.js';
import { throughput } from './comparisons.js';

/** Requests per second of each variant, as a share of the unprotected route's. */
export function nestPicture(results: readonly NestResult[]): string {
  return barPicture(
    'What protecting a route costs',
    'Requests answered per second by a Nest route, as a share of the same route without protection',
    'Median of the rounds; the line shows the quartiles. “Known”: the token has come before. “New”: no token comes twice within reach of a cache.',
    results.map(panelOf),
  );
}

function panelOf(result: NestResult): Panel {
  const bars = ENTRIES.filter(
    ({ name, platforms }) => platforms.includes(result.platform) && name !== UNPROTECTED,
  )
    .map(({ name, label, isOurs }): Bar => {
      return { label: label ?? name, figure: throughput(result, name), kind: isOurs ? 'ours' : 'peer' };
    })
    .toSorted((a, b) => b.figure.median - a.figure.median);
  const title = result.platform === 'fastify' ? 'Fastify' : 'Express';
  return { title: `${title}, ${result.alg}`, bars };
}
