import type { RowResult } from '../bench.js';
import { harm, wrongStatuses, type CellResult } from '../cell-result.js';
import type { Library } from '../libraries/index.js';

/** Where another library does as well as the first, or better. */
export interface Comparison {
  /** Others answered fewer requests wrongly. */
  readonly losses: readonly string[];
  /** Others answered everything as well, wrong statuses included. */
  readonly ties: readonly string[];
  /** Others answered everything as well and asked the provider less. */
  readonly frugal: readonly string[];
}

export function compare(results: readonly RowResult[], libraries: readonly Library[]): Comparison {
  const pick = (isSuch: (own: CellResult, other: CellResult) => boolean): string[] =>
    results.flatMap(({ row, cells: [own, ...others] }) => {
      const names = others.flatMap((other, index) =>
        own && !(own instanceof Error) && !(other instanceof Error) && isSuch(own, other)
          ? [libraries[index + 1]?.title ?? '']
          : [],
      );
      return names.length > 0 ? [`${row.title}: ${names.join(', ')}`] : [];
    });
  return {
    losses: pick((own, other) => fault(other) < fault(own)),
    ties: pick((own, other) => fault(other) === fault(own)),
    frugal: pick((own, other) => fault(other) === fault(own) && other.calls < own.calls),
  };
}

/** Harm first; among equals the wrong statuses. Each is below 1, so the sum orders them. */
function fault(cell: CellResult): number {
  const sent = Object.values(cell.sent).reduce((sum, times) => sum + times, 0);
  return Math.round(harm(cell) * 100) + wrongStatuses(cell) / (sent + 1);
}
