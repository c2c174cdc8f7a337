import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RefreshTrigger } from '../../lib/metadata/metadata-events.js';
import type { RefreshRequest } from '../../lib/metadata/refresh/refresh-request.js';
import { FAULTS, Fixture, type Observed } from './fixture.js';
import { PATIENCE, runs } from './settings.js';

const MINUTE = 60_000;

const reason = fc.constantFrom<RefreshRequest['reason']>(
  'key-not-found',
  'bad-signature',
  'requested',
  undefined,
);

/** Anything that may happen to a provider. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      times: fc.integer({ min: 1, max: 12 }),
      kids: fc.constantFrom('one', 'many', 'known', 'none'),
      isStale: fc.boolean(),
      reason,
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'current' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }) },
        { weight: 3, arbitrary: fc.integer({ min: 0, max: MINUTE }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 * MINUTE }) },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('set-clock' as const), to: fc.integer({ min: 0, max: 4e12 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('behave' as const),
      fault: fc.constantFrom(...FAULTS),
      latency: fc.constantFrom(0, 0, 40, 900, 6000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      kids: fc.subarray(['a', 'b', 'c', 'd'], { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'move' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const walk = fc.record({
  steps: fc.array(step, { minLength: 5, maxLength: 40 }),
  burst: fc.constantFrom(1, 2, 5, 9),
  interval: fc.constantFrom(1000, 5000, 20_000),
  wait: fc.constantFrom(0, 3000, 10_000, 60_000),
  automatic: fc.constantFrom(30_000, MINUTE, 10 * MINUTE),
  lifetime: fc.constantFrom(0, 30_000, 24 * 60 * MINUTE),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
  isConditional: fc.boolean(),
});
type Walk = typeof walk extends fc.Arbitrary<infer T> ? T : never;

function fixtureFor({ burst, interval, wait, automatic, lifetime, random, isConditional }: Walk): Fixture {
  const fixture = new Fixture(
    {
      refreshBurst: burst,
      refreshInterval: interval,
      refreshWait: wait,
      automaticRefreshInterval: automatic,
      lastKnownGoodLifetime: lifetime,
      maxWaiting: 50,
    },
    random,
  );
  fixture.issuer.isConditional = isConditional;
  return fixture;
}

/** Takes one step without waiting for the answers: what is under way goes on while the next steps are taken. */
async function take(fixture: Fixture, change: Step, number: number): Promise<void> {
  const { issuer, clock, provider } = fixture;
  switch (change.kind) {
    case 'ask': {
      const stale = change.isStale ? provider.snapshot() : undefined;
      for (let call = 0; call < change.times; call++) {
        const kid = { one: 'x', many: `x-${number}-${call}`, known: 'a', none: undefined }[change.kids];
        void provider.requestRefresh({ stale, kid, reason: change.reason }).catch(() => undefined);
      }
      break;
    }
    case 'current':
      void provider.current().catch(() => undefined);
      break;
    case 'pass':
      await clock.advance(change.milliseconds);
      break;
    case 'set-clock':
      clock.setWallClock(change.to);
      break;
    case 'behave':
      fixture.behave(change.fault, change.latency);
      break;
    case 'publish':
      await issuer.publish(...change.kids);
      break;
    case 'move':
      issuer.jwksUri = `${issuer.url}/jwks/${number}`;
      break;
  }
  await fixture.settle();
}

function startsOf(observed: readonly Observed[], ...triggers: readonly RefreshTrigger[]): readonly number[] {
  return observed.flatMap(({ at, event }) =>
    event.type === 'refresh-started' && triggers.includes(event.trigger) ? [at] : [],
  );
}

/** The bucket: in no stretch of time more than the burst and what has flowed in during it. Where it was not so. */
function excesses(starts: readonly number[], burst: number, interval: number): readonly string[] {
  return starts.flatMap((from, first) =>
    starts.slice(first).flatMap((to, index) => {
      const allowed = burst + Math.floor((to - from) / interval + 1e-6);
      return index + 1 > allowed
        ? [`${index + 1} refreshes from ${from} to ${to} ms in place of ${allowed}`]
        : [];
    }),
  );
}

/** The schedule: an interval apart, but for the retries after a failure, which back off to five minutes. */
function isScheduleKept(starts: readonly number[], interval: number): boolean {
  const [first = 0] = starts;
  const elapsed = (starts.at(-1) ?? 0) - first;
  const regular = 1 + elapsed / (0.9 * Math.min(interval, MINUTE));
  return starts.length <= regular + 10 + elapsed / (2.5 * MINUTE);
}

/** Runs a walk to its end, and a while beyond. */
async function run(fixture: Fixture, { steps }: Walk): Promise<void> {
  for (const [number, change] of steps.entries()) await take(fixture, change, number);
  await fixture.clock.advance(2 * MINUTE);
  // Refusals pass few at a time.
  while (fixture.provider.status().waiting > 0) await fixture.settle();
}

describe('the refresh budget', { timeout: PATIENCE }, () => {
  it('limits a loaded provider, for all requests and all events', async () => {
    let refreshes = 0;
    const property = fc.asyncProperty(walk, async (given) => {
      using fixture = fixtureFor(given);
      await fixture.issuer.publish('a', 'b');
      await fixture.provider.start();
      await run(fixture, given);
      const { observed } = fixture;
      const onDemand = startsOf(observed, 'on-demand');
      refreshes += onDemand.length;
      expect(excesses(onDemand, given.burst, given.interval)).toEqual([]);
      // Nothing else calls the issuer: each refresh is the first, automatic or out of the budget.
      expect(startsOf(observed, 'load')).toHaveLength(1);
      const all = startsOf(observed, 'load', 'automatic', 'on-demand', 'operator');
      expect(all).toHaveLength(1 + onDemand.length + startsOf(observed, 'automatic').length);
      expect(isScheduleKept(startsOf(observed, 'automatic'), given.automatic)).toBe(true);
      expect(fixture.provider.status().waiting).toBe(0);
    });
    await fc.assert(property, runs(150));
    expect(refreshes, 'on-demand refreshes').toBeGreaterThan(300);
  });

  it('limits a provider that has never loaded, retries included', async () => {
    let refreshes = 0;
    const property = fc.asyncProperty(walk, async (given) => {
      using fixture = fixtureFor(given);
      await fixture.issuer.publish('a', 'b');
      fixture.behave('unreachable');
      const steps = given.steps.filter(({ kind }) => kind !== 'behave');
      await run(fixture, { ...given, steps });
      const starts = startsOf(fixture.observed, 'load');
      refreshes += starts.length;
      expect(startsOf(fixture.observed, 'automatic', 'on-demand')).toEqual([]);
      // It cannot be seen from outside which of them the schedule started; it backs off to five minutes.
      const retries = 10 + ((starts.at(-1) ?? 0) - (starts[0] ?? 0)) / (2.5 * MINUTE);
      expect(excesses(starts, given.burst + retries, given.interval)).toEqual([]);
    });
    await fc.assert(property, runs(50));
    expect(refreshes, 'attempts').toBeGreaterThan(100);
  });

  it('keeps the last three refreshes from wrong signatures, and gives each kid one per interval', async () => {
    let refreshes = 0;
    const property = fc.asyncProperty(walk, fc.boolean(), async (given, isOneKid) => {
      using fixture = fixtureFor(given);
      await fixture.issuer.publish('a', 'b');
      await fixture.provider.start();
      const steps = given.steps
        .filter(({ kind }) => kind !== 'current')
        .map((change): Step => {
          if (change.kind !== 'ask') return change;
          return { ...change, reason: 'bad-signature', isStale: true, kids: isOneKid ? 'one' : change.kids };
        });
      await run(fixture, { ...given, steps });
      const onDemand = startsOf(fixture.observed, 'on-demand');
      refreshes += onDemand.length;
      const spendable = Math.max(0, given.burst - 3);
      expect(excesses(onDemand, isOneKid ? Math.min(1, spendable) : spendable, given.interval)).toEqual([]);
      // Nothing flows into a bucket that holds no more than the reserve.
      expect(onDemand.length > 0 && spendable === 0).toBe(false);
    });
    await fc.assert(property, runs(75));
    expect(refreshes, 'on-demand refreshes').toBeGreaterThan(50);
  });

  it('runs one refresh at a time, of one to four requests each', async () => {
    const property = fc.asyncProperty(walk, async (given) => {
      using fixture = fixtureFor(given);
      const { issuer } = fixture;
      await issuer.publish('a', 'b');
      let requests = 0;
      let running = 0;
      let most = 0;
      const perRefresh: number[] = [];
      fixture.provider.events$.subscribe(({ type }) => {
        if (type === 'refresh-started') {
          most = Math.max(most, ++running);
          requests = issuer.requests.length;
        } else if (type === 'refresh-succeeded' || type === 'refresh-failed') {
          running--;
          perRefresh.push(issuer.requests.length - requests);
        }
      });
      await fixture.provider.start();
      await run(fixture, given);
      expect(most).toBe(1);
      expect(Math.min(...perRefresh)).toBeGreaterThanOrEqual(1);
      // Following a key set that has moved, and confirming then that a key is missing, costs up to two more.
      const hasMoved = given.steps.some(({ kind }) => kind === 'move');
      expect(Math.max(...perRefresh)).toBeLessThanOrEqual(hasMoved ? 6 : 4);
    });
    await fc.assert(property, runs(75));
  });
});
