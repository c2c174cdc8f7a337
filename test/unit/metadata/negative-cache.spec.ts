import { describe, expect, it } from 'vitest';
import { NegativeCache } from '../../../lib/metadata/refresh/negative-cache.js';

/** Milliseconds for which an entry that was added at `now` holds. */
function lifetimeOf(cache: NegativeCache, kid: string, now: number): number {
  for (let time = 0; time <= 10_000; time += 500) if (!cache.has(kid, now + time)) return time;
  return Number.POSITIVE_INFINITY;
}

describe('NegativeCache', () => {
  it('keeps a key id for one second after the first miss, and twice as long after each further one, up to five seconds', () => {
    const cache = new NegativeCache(60_000);
    const lifetimes = [0, 10_000, 20_000, 30_000, 40_000].map((now) => {
      cache.add('a', now);
      return lifetimeOf(cache, 'a', now);
    });
    expect(lifetimes).toEqual([1000, 2000, 4000, 5000, 5000]);
  });

  it('keeps a key id for at most refreshInterval', () => {
    const cache = new NegativeCache(1500);
    cache.add('a', 0);
    cache.add('a', 10_000);
    expect(lifetimeOf(cache, 'a', 10_000)).toBe(1500);
  });

  it('counts one check once, however many requests waited for it', () => {
    const cache = new NegativeCache(5000);
    for (let request = 0; request < 10; request++) cache.add('a', 7);
    expect(lifetimeOf(cache, 'a', 7)).toBe(1000);
  });

  it('forgets every miss when the key set changes', () => {
    const cache = new NegativeCache(5000);
    cache.add('a', 0);
    cache.reset({ addedKeyIds: ['c'], withdrawnKeyIds: [] }, 0);
    expect(cache.has('a', 0)).toBe(false);
  });

  it('keeps a withdrawn key id like a missing one, marked as withdrawn until it is added again', () => {
    const cache = new NegativeCache(5000);
    cache.reset({ addedKeyIds: [], withdrawnKeyIds: ['a'] }, 0);
    expect(lifetimeOf(cache, 'a', 0)).toBe(1000);
    cache.reset({ addedKeyIds: ['c'], withdrawnKeyIds: ['b'] }, 0);
    expect([cache.isWithdrawn('a'), cache.isWithdrawn('b'), cache.isWithdrawn('c')]).toEqual([
      true,
      true,
      false,
    ]);
    cache.reset({ addedKeyIds: ['a'], withdrawnKeyIds: [] }, 0);
    expect(cache.isWithdrawn('a')).toBe(false);
  });

  it('keeps at most a thousand key ids', () => {
    const cache = new NegativeCache(5000);
    for (let i = 0; i < 5000; i++) cache.add(`kid-${i}`, 0);
    const held = Array.from({ length: 5000 }, (_, i) => cache.has(`kid-${i}`, 1)).filter(Boolean);
    expect(held).toHaveLength(1000);
  });
});
