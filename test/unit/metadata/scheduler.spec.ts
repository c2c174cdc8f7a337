import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { RefreshLimits } from '../../../lib/metadata/refresh/refresh-limits.js';
import { RefreshScheduler } from '../../../lib/metadata/refresh/scheduler.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

function start() {
  const clock = new ManualClock();
  const limits = new RefreshLimits(trustedIssuer().metadata, () => 1);
  const closing = new AbortController();
  const scheduler = new RefreshScheduler(clock, limits, closing.signal);
  const emitted: string[] = [];
  scheduler.automatic$.subscribe(() => emitted.push(`automatic ${clock.monotonic()}`));
  scheduler.onDemand$.subscribe(() => emitted.push(`on demand ${clock.monotonic()}`));
  return { clock, limits, scheduler, closing, emitted };
}

describe('RefreshScheduler', () => {
  it('emits once when the last plan is due: a new plan replaces the one before', async () => {
    const { clock, scheduler, emitted } = start();
    scheduler.afterSuccess(1000);
    scheduler.afterSuccess(5000);
    scheduler.planOnDemand(2000);
    scheduler.planOnDemand(3000);
    expect([clock.pendingTimers, scheduler.nextAutomaticAt]).toEqual([2, 5000]);
    await clock.advance(60_000);
    expect(emitted).toEqual(['on demand 3000', 'automatic 5000']);
  });

  it('keeps the plan when an on-demand refresh fails, and plans the backoff when the automatic one does', () => {
    const { limits, scheduler } = start();
    scheduler.afterSuccess(5000);
    limits.failed(0);
    scheduler.afterFailure();
    expect(scheduler.nextAutomaticAt).toBe(5000);
    scheduler.afterSuccess(0);
    scheduler.afterFailure();
    expect(scheduler.nextAutomaticAt).toBe(1000);
  });

  it('waits for Retry-After when it is later than the plan', () => {
    const { limits, scheduler } = start();
    scheduler.afterSuccess(5000);
    limits.failed(0, 9000);
    scheduler.afterFailure();
    expect(scheduler.nextAutomaticAt).toBe(9000);
  });

  it('emits nothing and leaves no timer when it is closed', async () => {
    const { clock, scheduler, closing, emitted } = start();
    scheduler.afterSuccess(1000);
    scheduler.planOnDemand(1000);
    closing.abort();
    scheduler.afterSuccess(2000);
    await clock.advance(60_000);
    expect([emitted, clock.pendingTimers]).toEqual([[], 0]);
  });
});
