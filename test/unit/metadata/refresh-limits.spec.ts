import { describe, expect, it } from 'vitest';
import { RefreshLimits } from '../../../lib/metadata/refresh/refresh-limits.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** Two in a row, one per 5 s; `random` 1 makes each backoff as long as it can be. */
const limitsOf = (random = 1, metadata = {}) =>
  new RefreshLimits(
    trustedIssuer({ metadata: { refreshBurst: 2, refreshInterval: '5s', ...metadata } }).metadata,
    () => random,
  );

describe('RefreshLimits', () => {
  it('returns false when the burst is used up, and true again one interval later', () => {
    const limits = limitsOf();
    expect([0, 0, 0].map((now) => limits.tryAcquire(now))).toEqual([true, true, false]);
    expect(limits.available(0)).toBe(0);
    expect(limits.onDemandAt(0)).toBe(5 * SECOND);
    expect(limits.tryAcquire(5 * SECOND - 1)).toBe(false);
    expect(limits.tryAcquire(5 * SECOND)).toBe(true);
    expect(limits.available(5 * SECOND)).toBe(0);
  });

  it('returns the full burst and no more when nothing was acquired for long', () => {
    const limits = limitsOf();
    limits.tryAcquire(0);
    expect(limits.available(MINUTE)).toBe(2);
    expect([0, 1, 2].map(() => limits.tryAcquire(MINUTE))).toEqual([true, true, false]);
  });

  it('returns at most burst plus one per interval when it is asked every millisecond', () => {
    const limits = limitsOf();
    let acquired = 0;
    for (let now = 0; now < 50 * SECOND; now++) if (limits.tryAcquire(now)) acquired++;
    expect(acquired).toBe(2 + 9);
  });

  it('doubles the backoff with each failure in a row, up to refreshInterval on demand and five minutes otherwise', () => {
    const limits = limitsOf();
    const waits = Array.from({ length: 12 }, () => {
      limits.failed(0);
      return [limits.onDemandAt(0), limits.automaticAt()];
    });
    expect(waits.slice(0, 4)).toEqual([
      [SECOND, SECOND],
      [2 * SECOND, 2 * SECOND],
      [4 * SECOND, 4 * SECOND],
      [5 * SECOND, 8 * SECOND],
    ]);
    expect(waits.at(-1)).toEqual([5 * SECOND, 5 * MINUTE]);
    expect(limits.failures).toBe(12);
  });

  it('returns half of the backoff when the random number is 0', () => {
    const limits = limitsOf(0);
    limits.failed(0);
    expect(limits.onDemandAt(0)).toBe(SECOND / 2);
    expect(limits.tryAcquire(SECOND / 2 - 1)).toBe(false);
    expect(limits.tryAcquire(SECOND / 2)).toBe(true);
  });

  it('allows both kinds of refresh again when one has succeeded', () => {
    const limits = limitsOf();
    limits.failed(0, MINUTE);
    limits.succeeded();
    expect([limits.failures, limits.onDemandAt(0)]).toEqual([0, 0]);
    expect(limits.automaticAt()).toBe(Number.NEGATIVE_INFINITY);
  });

  it('waits for Retry-After, bounded by automaticRefreshInterval, when a later failure has none', () => {
    const limits = limitsOf(1, { automaticRefreshInterval: '10m' });
    limits.failed(0, 60 * MINUTE);
    limits.failed(SECOND);
    expect(limits.refusedUntil).toBe(10 * MINUTE);
    expect([limits.onDemandAt(SECOND), limits.automaticAt()]).toEqual([10 * MINUTE, 10 * MINUTE]);
  });
});
