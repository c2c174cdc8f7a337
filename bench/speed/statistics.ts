/** The middle of some measurements, and how far they spread: the quartiles. */
export interface Figure {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** @throws when there is nothing to summarize */
export function summarize(samples: readonly number[]): Figure {
  if (samples.length === 0) throw new Error('No measurements to summarize');
  const sorted = samples.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/**
 * How many times `samples` is `base`. Round by round, so that a machine that slows down for a while slows both.
 */
export function ratio(samples: readonly number[], base: readonly number[]): Figure {
  return summarize(samples.map((sample, round) => sample / (base[round] ?? Number.NaN)));
}

function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
