import { setTimeout as wait } from 'node:timers/promises';

const TICK = 10;

/**
 * Calls `send` at a steady rate, whether or not earlier calls have been answered: an attacker does not wait, and a
 * generator that does would hide the slow answers.
 *
 * @returns when all have been sent
 */
export async function steadyLoad(
  perSecond: number,
  seconds: number,
  send: (index: number) => void,
): Promise<void> {
  const begun = performance.now();
  const total = Math.round(perSecond * seconds);
  let sent = 0;
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - begun) / 1000) * perSecond) + 1);
    for (; sent < due; sent += 1) send(sent);
    await wait(TICK);
  }
}

/** The value below which the given share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
