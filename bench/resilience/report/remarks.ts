import { harm, type CellResult } from '../cell-result.js';
import type { Library } from '../libraries/index.js';
import { percent } from './wording.js';

/** Facts that only some rows have, as a list with an item for each library. */
export function remarks(cells: readonly (CellResult | Error)[], libraries: readonly Library[]): string[] {
  const lines = cells.flatMap((cell, index) => {
    const facts = cell instanceof Error ? [] : factsOf(cell);
    return facts.length > 0 ? [`- ${libraries[index]?.title}: ${facts.join('; ')}`] : [];
  });
  return lines.length > 0 ? [lines.join('\n')] : [];
}

function factsOf(cell: CellResult): string[] {
  return [
    ...(cell.end === 'crashed' ? ['the process crashed'] : []),
    ...(cell.end === 'stopped' ? ['the bench stopped the process, whose memory exceeded the limit'] : []),
    ...withdrawnFacts(cell),
    ...(cell.refreshes === undefined ? [] : [`refreshes: ${cell.refreshes}`]),
    ...memoryFacts(cell.extras),
    ...floodFacts(cell.extras),
  ];
}

function withdrawnFacts(cell: CellResult): string[] {
  const { sent, accepted } = cell;
  if (sent.withdrawn === 0) return [];
  const share = percent(harm(cell));
  return [`${accepted.withdrawn} of ${sent.withdrawn} tokens of the withdrawn key accepted (${share})`];
}

function memoryFacts(extras: CellResult['extras']): string[] {
  const { memoryIdle, memoryBefore, memoryAfter, memoryPeak, keptBefore, keptAfter } = extras;
  const stages = Object.entries({
    'when idle': memoryIdle,
    'before the fault': memoryBefore,
    'after it': memoryAfter,
    'at most': memoryPeak,
  }).flatMap(([when, megabytes]) => (megabytes === undefined ? [] : [`${megabytes.toFixed(0)} MB ${when}`]));
  if (stages.length === 0) return [];
  const kept =
    keptBefore !== undefined && keptAfter !== undefined
      ? [`in use after a collection: ${keptBefore.toFixed(0)} MB before, ${keptAfter.toFixed(0)} MB after`]
      : [];
  return [`resident memory: ${stages.join(', ')}`, ...kept];
}

function floodFacts(extras: CellResult['extras']): string[] {
  const { validP99, validP99WithoutTokens, eventLoopP99, eventLoopMax } = extras;
  if ([validP99, validP99WithoutTokens, eventLoopP99, eventLoopMax].includes(undefined)) return [];
  return [
    `p99 of valid requests ${validP99?.toFixed(1)} ms, under as many requests without a token ${validP99WithoutTokens?.toFixed(1)} ms`,
    `event loop late by ${eventLoopP99?.toFixed(1)} ms at p99, ${eventLoopMax?.toFixed(0)} ms at most`,
  ];
}
