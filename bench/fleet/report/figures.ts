import type { SimulatedRollover } from '../simulation/result.js';

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Milliseconds from the first acceptance of a new key until all know it, rollover by rollover. */
export function spreads(rollovers: readonly { readonly spread: number | null }[]): number[] {
  return rollovers.map(({ spread }) => spread ?? Number.POSITIVE_INFINITY);
}

/** The rollovers in which nothing else happens. */
export function usual(rollovers: readonly SimulatedRollover[]): readonly SimulatedRollover[] {
  return rollovers.filter(({ kind }) => kind === 'usual');
}

export function bytes(value: number): string {
  if (value < 1000) return `${value.toFixed(value < 10 ? 1 : 0)} B`;
  return value < 1e6 ? `${(value / 1e3).toFixed(1)} kB` : `${(value / 1e6).toFixed(1)} MB`;
}
