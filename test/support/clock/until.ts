import { setTimeout as delay } from 'node:timers/promises';

/** Waits, without keeping the processor busy, until it holds. */
export async function until(condition: () => boolean | Promise<boolean>, patience = 15_000): Promise<void> {
  const end = performance.now() + patience;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Never came true: ${condition.toString()}`);
    await delay(5);
  }
}
