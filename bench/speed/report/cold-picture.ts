import { isLimit, isOurs, LIMIT_SYNC, tokensOf } from '../in-process/contenders.js';
import type { InProcessResult } from '../in-process/process.js';
import { barPicture, type Bar, type Panel } from './bars.js';
import { ofLimit } from './comparisons.js';

/** New tokens: how close each library comes to the bare signature check. */
export function coldPicture(results: readonly InProcessResult[]): string {
  return barPicture(
    'Validating a token for the first time',
    'Speed in process, one token at a time, as a share of node:crypto’s bare signature check; a library that is missing does not have the algorithm',
    'Median of the rounds; the line shows the quartiles. All check signature, alg, iss, aud and exp; crypto.verify the signature alone.',
    results.map(panelOf),
  );
}

function panelOf(result: InProcessResult): Panel {
  const bars = Object.keys(result.one)
    .filter((name) => name === LIMIT_SYNC || (tokensOf(name) === 'new' && !isLimit(name)))
    .map((name): Bar => {
      const kind = isOurs(name) ? 'ours' : 'peer';
      return { label: name, figure: ofLimit(result, name, 'one'), kind: isLimit(name) ? 'base' : kind };
    })
    .toSorted((a, b) => b.figure.median - a.figure.median);
  return { title: result.alg === 'EdDSA' ? 'Ed25519' : result.alg, bars };
}
