import { getEventListeners } from 'node:events';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { RefreshAttempt } from '../../../lib/metadata/refresh/refresh-attempt.js';
import type { Waiter } from '../../../lib/metadata/refresh/refresh-request.js';
import { WaitQueue } from '../../../lib/metadata/refresh/wait-queue.js';

const tick = () => new Promise((resolve) => setImmediate(resolve));
const waiterUntil = (deadline: number): Waiter => ({
  request: {},
  start: { started: 0, deadline },
  attempt: new RefreshAttempt(),
  resolve: () => undefined,
  reject: () => undefined,
});

/** A queue, and the deadlines of the waiters it gave up. */
function queueOn(clock: ManualClock) {
  const overdue: number[] = [];
  const queue = new WaitQueue(clock, ({ start }) => overdue.push(start.deadline));
  return { queue, overdue };
}

describe('WaitQueue', () => {
  it('calls back for each waiter when its deadline has passed, with one timer for all', async () => {
    const clock = new ManualClock();
    const { queue, overdue } = queueOn(clock);
    for (const deadline of [3000, 1000, 2000]) queue.add(waiterUntil(deadline));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1000);
    expect(overdue).toEqual([1000]);
    await clock.advance(2000);
    expect([overdue, queue.size, clock.pendingTimers]).toEqual([[1000, 2000, 3000], 0, 0]);
  });

  it('cancels its timer when the last waiter is settled', () => {
    const clock = new ManualClock();
    const { queue } = queueOn(clock);
    const waiter = waiterUntil(1000);
    queue.add(waiter);
    queue.resolve(waiter, () => undefined);
    expect([queue.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  it('rejects every waiter of a connection that closes, with one listener, and leaves none behind', () => {
    const gone: Waiter[] = [];
    const queue = new WaitQueue(
      new ManualClock(),
      () => undefined,
      (waiter) => gone.push(waiter),
    );
    const [one, other] = [new AbortController(), new AbortController()];
    const waiterOf = ({ signal }: AbortController): Waiter => ({
      ...waiterUntil(1000),
      request: { closed: signal },
    });
    const waiters = [waiterOf(one), waiterOf(one), waiterOf(other)];
    for (const waiter of [...waiters, waiterUntil(1000)]) queue.add(waiter);
    expect(getEventListeners(one.signal, 'abort')).toHaveLength(1);
    one.abort();
    expect([gone, queue.size]).toEqual([waiters.slice(0, 2), 2]);
    const [, , last] = waiters;
    if (last) queue.resolve(last, () => undefined);
    expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
    other.abort();
    expect(gone).toHaveLength(2);
  });

  it('settles a waiter once', () => {
    const { queue } = queueOn(new ManualClock());
    const waiter = waiterUntil(1000);
    let settled = 0;
    queue.add(waiter);
    for (let i = 0; i < 3; i++) queue.reject(waiter, () => settled++);
    expect(settled).toBe(1);
  });

  it.each([
    ['resolve', 16],
    ['reject', 4],
  ] as const)(
    'settles a batch per tick and counts the rest when it is to %s many',
    async (method, perTick) => {
      const { queue } = queueOn(new ManualClock());
      const settled: Waiter[] = [];
      const waiters = Array.from({ length: 100 }, () => waiterUntil(1000));
      for (const waiter of waiters) queue.add(waiter);
      for (const waiter of waiters) queue[method](waiter, () => settled.push(waiter));
      for (let ticks = 1; settled.length < 100; ticks++) {
        expect(settled.length).toBe(Math.min(100, ticks * perTick));
        expect(queue.size).toBe(100 - settled.length);
        await tick();
      }
      expect(settled).toEqual(waiters);
    },
  );

  it('resolves at once when many rejections are queued', () => {
    const { queue } = queueOn(new ManualClock());
    const rejected = Array.from({ length: 100 }, () => waiterUntil(1000));
    const accepted = waiterUntil(1000);
    for (const waiter of [...rejected, accepted]) queue.add(waiter);
    for (const waiter of rejected) queue.reject(waiter, () => undefined);
    let isResolved = false;
    queue.resolve(accepted, () => (isResolved = true));
    expect(isResolved).toBe(true);
  });

  it('settles ten thousand rejections within 500 ticks', async () => {
    const { queue } = queueOn(new ManualClock());
    const waiters = Array.from({ length: 10_000 }, () => waiterUntil(1000));
    for (const waiter of waiters) queue.add(waiter);
    for (const waiter of waiters) queue.reject(waiter, () => undefined);
    let ticks = 0;
    for (; queue.size > 0; ticks++) await tick();
    expect(ticks).toBeLessThanOrEqual(501);
  });

  it('accepts the removal of waiters while it is iterated', () => {
    const { queue } = queueOn(new ManualClock());
    for (let i = 0; i < 10; i++) queue.add(waiterUntil(i));
    for (const waiter of queue) queue.resolve(waiter, () => undefined);
    expect([...queue]).toEqual([]);
  });
});
