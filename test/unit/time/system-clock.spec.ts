import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../../lib/time/clock.js';

describe('SystemClock', () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('returns a handle when timers are numbers, as those of jsdom', () => {
    const cleared: unknown[] = [];
    vi.stubGlobal('setTimeout', () => 42);
    vi.stubGlobal('clearTimeout', (handle: unknown) => cleared.push(handle));
    const clock = new SystemClock();
    clock.clearTimeout(clock.setTimeout(() => undefined, 10));
    expect(cleared).toEqual([42]);
  });

  it('calls back, and forgets, when timers are faked', () => {
    vi.useFakeTimers();
    const clock = new SystemClock();
    const calls: string[] = [];
    clock.setTimeout(() => calls.push('kept'), 10);
    clock.clearTimeout(clock.setTimeout(() => calls.push('forgotten'), 10));
    vi.advanceTimersByTime(20);
    expect(calls).toEqual(['kept']);
  });
});
