import { AuthModule, Authenticator } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { IssuerMetadataProvider } from '../../lib/metadata/issuer-metadata.provider.js';
import { IssuerMetadataProviders } from '../../lib/metadata/issuer-metadata.providers.js';
import { resolveAuthOptions } from '../../lib/options/resolve-options.js';
import { after, hang, keyOf, ScriptedIssuer, status } from '../support/issuers/scripted-issuer.js';
import { outcomeOf, scene, settle, until, watch, type Scene, type Watched } from '../support/apps/scene.js';
import { watchSignatureChecks } from '../support/apps/signature-checks.js';

const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const UNAVAILABLE = 'AUTH_METADATA_UNAVAILABLE';
const MALFORMED = 'AUTH_TOKEN_MALFORMED';

describe('unknown key ids', () => {
  // One that the first of them asks for, and one for those who come while it is under way: see [22a].
  it('[21] answers 401 and refreshes twice at most when a thousand tokens of one come at once', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 1000, () => 'b');
    const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(new Set(outcomes)).toEqual(new Set([REFUSED]));
    expect(stage.attempts()).toBeLessThanOrEqual(2);
    expect(stage.clock.monotonic()).toBe(0);
  });

  it('[21] answers 401 at once and refreshes after 0, 1, 3 and 7 s, then every refreshInterval, when one comes a thousand times in a minute', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 1000, () => 'b');
    for (const token of tokens) {
      expect(await stage.verdict(token)).toBe(REFUSED);
      await stage.clock.advance(60);
    }
    // After 0, 1, 3 and 7 seconds, then every five.
    expect(stage.attempts()).toBeLessThanOrEqual(15);
    expect(stage.attempts()).toBeGreaterThan(12);
  });

  it('[21] keeps to the budget and leaves no timer behind when a thousand of them come within a minute', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    const tokens = await signAll(stage, 1000, (i) => `unknown-${i}`);
    const timers = clock.pendingTimers;
    const flood: Watched[] = [];
    for (const token of tokens) {
      flood.push(stage.watch(token));
      await clock.advance(60);
    }
    await clock.advance(10_000);
    const outcomes = await Promise.all(flood.map(({ settled }) => settled));
    expect(outcomes.every((outcome) => outcome === REFUSED || outcome === UNAVAILABLE)).toBe(true);
    // Five in hand, one every five seconds.
    expect(stage.attempts()).toBeLessThanOrEqual(5 + 70 / 5);
    // Each of them is one look and a second one at both documents.
    expect(issuer.requests.length - 2).toBeLessThanOrEqual(3 * stage.attempts());
    expect(provider.status().waiting).toBe(0);
    expect(clock.pendingTimers).toBe(timers);
    expect(stage.emitted('budget-exhausted')).toHaveLength(1);
  });

  it('[21] answers 401 and refreshes twice at most when a thousand of them come at once', async () => {
    const stage = await scene();
    const tokens = await signAll(stage, 1000, (i) => `unknown-${i}`);
    const outcomes = await Promise.all(tokens.map((token) => stage.verdict(token)));
    expect(new Set(outcomes)).toEqual(new Set([REFUSED]));
    expect(stage.attempts()).toBeLessThanOrEqual(2);
  });

  it('[21] rejects few of a thousand in one turn of the event loop', async () => {
    for (const fault of [undefined, status(500)]) {
      const stage = await scene();
      if (fault) stage.issuer.always('all', fault);
      let refused = 0;
      const tokens = await signAll(stage, 1000, (i) => `unknown-${i}`);
      const flood = tokens.map((token) => stage.verdict(token).finally(() => refused++));
      let most = 0;
      await until(() => refused > 0);
      // After a failure the next attempt waits for its turn.
      if (fault) void stage.clock.advance('1s');
      while (refused < flood.length) {
        const before = refused;
        await new Promise((resolve) => setImmediate(resolve));
        most = Math.max(most, refused - before);
      }
      expect(new Set(await Promise.all(flood))).toEqual(new Set([fault ? UNAVAILABLE : REFUSED]));
      expect(most).toBeLessThan(20);
      expect(stage.provider.status().waiting).toBe(0);
    }
  });

  it('[21] rejects a thousand forgeries under a key just published, at most one check a turn on the event loop', async () => {
    const checks = watchSignatureChecks();
    const onEventLoop = (): number => checks.mock.calls.filter((call) => call.length < 5).length;
    const stage = await scene();
    const { issuer } = stage;
    const forged = await issuer.sign(await keyOf('b', { material: 'forged' }));
    await issuer.publish('a', 'b');
    const held = issuer.hold('jwks');
    let refused = 0;
    const crowd = Array.from({ length: 1000 }, () => stage.verdict(forged).finally(() => refused++));
    await held.arrived;
    held.release();
    let most = 0;
    while (refused < crowd.length) {
      const before = onEventLoop();
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, onEventLoop() - before);
    }
    expect(new Set(await Promise.all(crowd))).toEqual(new Set([REFUSED]));
    expect(checks).toHaveBeenCalledTimes(1000);
    expect(most).toBeLessThanOrEqual(1);
  });

  it('[21] accepts a token when its key is published while its rejection is queued', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const tokens = await signAll(stage, 200, () => 'b');
    const flood = tokens.map((token) => stage.watch(token));
    await until(() => flood.some(({ outcome }) => outcome === REFUSED));
    await issuer.publish('a', 'b');
    await provider.refreshNow();
    const outcomes = await Promise.all(flood.map(({ settled }) => settled));
    expect(outcomes.at(-1)).toBe('accepted');
  });

  it('[21] counts failed attempts in the budget while the issuer is down', async () => {
    const stage = await scene({ metadata: { refreshBurst: 2, refreshInterval: '30s', refreshWait: '1s' } });
    const { clock, issuer } = stage;
    issuer.always('all', status(500));
    const tokens = await signAll(stage, 240, (i) => `unknown-${i}`);
    for (const token of tokens) {
      stage.watch(token);
      await clock.advance(1000);
    }
    // Two in hand, one every thirty seconds, for four minutes.
    expect(stage.attempts('on-demand')).toBeLessThanOrEqual(2 + 240 / 30);
  });

  it('[21] refreshes automatically when the budget is used up, and outside of it', async () => {
    const metadata = { automaticRefreshInterval: '1m', refreshInterval: '1h' };
    const stage = await scene({ metadata });
    const { clock, provider } = stage;
    await clock.advance(10 * 60_000);
    expect(provider.status().budget.available).toBe(5);
    await stage.exhaustBudget();
    await clock.advance(10 * 60_000);
    expect(stage.attempts('automatic')).toBe(20);
  });

  it('[21] keeps three refreshes available when forged signatures come under known kids', async () => {
    const stage = await scene({ keys: 'abcdefgh'.split('') });
    const { provider } = stage;
    for (const kid of 'abcdefgh'.split('')) {
      const forged = await keyOf(kid, { material: 'forged' });
      for (let i = 0; i < 3; i++) expect(await stage.show(forged, { jti: String(i) })).toBe(REFUSED);
      expect(provider.status().budget.available).toBeGreaterThanOrEqual(3);
    }
    expect(stage.attempts()).toBe(2);
    await stage.issuer.publish('i');
    expect(await stage.show('i')).toBe('accepted');
  });
});

describe('a flood of unknown key ids', () => {
  it('[22] accepts a request with a known key without delay', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    await stage.exhaustBudget();
    const flood = (await signAll(stage, 500, (i) => `flood-${i}`)).map((token) => stage.watch(token));
    await until(() => provider.status().waiting === 500);
    for (let i = 0; i < 20; i++) expect(await stage.show('a', { jti: String(i) })).toBe('accepted');
    expect(clock.monotonic()).toBe(0);
    expect(provider.status().waiting).toBe(500);
    await clock.advance(5000);
    const outcomes = await Promise.all(flood.map(({ settled }) => settled));
    expect(new Set(outcomes)).toEqual(new Set([REFUSED]));
    expect(issuer.calls('jwks')).toBeLessThanOrEqual(1 + 2 * 6);
  });

  it('[22] accepts tokens of a new key within one refreshInterval and a fetch when a rollover comes meanwhile', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const tokens = await signAll(stage, 600, (i) => `flood-${i}`);
    let shown = 0;
    // Ten unknown ids a second, for as long as the story lasts.
    const flood = async (milliseconds: number): Promise<void> => {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        const token = tokens[shown++];
        if (token) stage.watch(token);
        await clock.advance(100);
      }
    };
    await flood(20_000);
    expect(stage.provider.status().budget.available).toBe(0);
    await issuer.publish('a', 'b');
    issuer.always('jwks', after(clock, 300));
    const newcomers = (await signAll(stage, 50, () => 'b')).map((token) => stage.watch(token));
    await flood(5000);
    // The ids of the flood bring a second look about, for which all of them wait.
    await clock.advance(2 * 300);
    expect(new Set(await Promise.all(newcomers.map(({ settled }) => settled)))).toEqual(
      new Set(['accepted']),
    );
    await flood(3000);
    await issuer.publish('b', 'c');
    const next = stage.watch(await issuer.sign('c'));
    await flood(5000);
    // The ids of the flood bring a second look about, for which all of them wait.
    await clock.advance(2 * 300);
    // Its signature may be checked in the thread pool, which the clock of the test can outrun.
    expect(await next.settled).toBe('accepted');
  });

  it('[22] delays neither known nor new keys when one comes every fifteen seconds for ten minutes', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const waits: number[] = [];
    for (let i = 1; i <= 40; i++) {
      expect(await stage.show(`trickle-${i}`)).toBe(REFUSED);
      expect(await stage.show('a', { jti: String(i) })).toBe('accepted');
      const kid = `new-${Math.floor(i / 10)}`;
      await issuer.publish('a', kid);
      const before = clock.monotonic();
      expect(await stage.show(kid, { jti: String(i) })).toBe('accepted');
      waits.push(clock.monotonic() - before);
      await clock.advance(15_000);
    }
    expect(Math.max(...waits)).toBe(0);
  });

  it('[22] withdraws a key on time, by the automatic refresh', async () => {
    const stage = await scene({ keys: ['a', 'b'], metadata: { automaticRefreshInterval: '1m' } });
    const { clock, issuer } = stage;
    const tokens = await signAll(stage, 120, (i) => `flood-${i}`);
    issuer.always('discovery', status(500));
    await issuer.publish('b');
    for (const token of tokens) {
      stage.watch(token);
      await clock.advance(500);
    }
    await until(() => stage.provider.status().keyIds.length === 1);
    expect(await stage.show('a')).toBe(REFUSED);
  });
});

describe('wrong signatures', () => {
  it('[22b] limits them to half of the queue, and keeps the other half for new keys', async () => {
    const stage = await scene({ metadata: { maxWaiting: 10 } });
    const { issuer, provider } = stage;
    await issuer.publish('a', 'b');
    const held = issuer.hold('jwks');
    const stale = provider.snapshot();
    const wrong = Array.from({ length: 20 }, () =>
      provider.requestRefresh({ stale, kid: 'a', reason: 'bad-signature' }).catch(() => 'refused'),
    );
    await held.arrived;
    expect(provider.status().waiting).toBe(5);
    const fresh = stage.watch(await issuer.sign('b'));
    await settle();
    expect(provider.status().waiting).toBe(6);
    held.release();
    await fresh.settled;
    expect(fresh.outcome).toBe('accepted');
    expect((await Promise.all(wrong)).filter((answer) => answer === 'refused')).toHaveLength(15);
    expect(provider.status().waiting).toBe(0);
  });
});

describe('a fetch that began before the key was published', () => {
  it('[22a] accepts a request that came later, because the second look finds the key', async () => {
    const stage = await scene();
    const { issuer } = stage;
    const held = issuer.hold('jwks');
    const trigger = stage.watch(await issuer.sign('x'));
    await held.arrived;
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b'));
    await settle();
    held.release();
    expect(await late.settled).toBe('accepted');
    expect(await trigger.settled).toBe(REFUSED);
  });

  it('[22a] accepts a request that came during the second look', async () => {
    const stage = await scene();
    const { issuer } = stage;
    const [first, second] = [issuer.hold('jwks'), issuer.hold('jwks')];
    // Both are about the very key id: the early one gets the true answer, the late one must not get the same.
    const early = stage.watch(await issuer.sign('b', { jti: '1' }));
    await first.arrived;
    first.release();
    await second.arrived;
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b', { jti: '2' }));
    await settle();
    second.release();
    expect(await early.settled).toBe(REFUSED);
    expect(await late.settled).toBe('accepted');
    expect(stage.attempts()).toBe(2);
    expect(await stage.show('b', { jti: '3' })).toBe('accepted');
  });

  it('[22a] returns the key to requests that came to the provider meanwhile', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const stale = await provider.current();
    const holds = [issuer.hold('jwks'), issuer.hold('jwks')];
    const automatic = provider.refreshNow();
    await holds[0]?.arrived;
    const asked = provider.requestRefresh({ stale, kid: 'b', reason: 'key-not-found' });
    holds[0]?.release();
    await holds[1]?.arrived;
    await issuer.publish('a', 'b');
    const askedLater = provider.requestRefresh({ stale, kid: 'b', reason: 'key-not-found' });
    holds[1]?.release();
    await automatic;
    const [one, other] = await Promise.all([asked, askedLater]);
    expect(one.keysWithId('b')).toHaveLength(1);
    expect(other).toBe(one);
  });

  it('[22a] keeps a request that came during the second look waiting for the next permitted refresh when the budget is used up', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    await stage.exhaustBudget();
    await clock.advance(5000);
    expect(provider.status().budget.available).toBe(1);
    const holds = [issuer.hold('jwks'), issuer.hold('jwks')];
    const early = stage.watch(await issuer.sign('b', { jti: '1' }));
    await holds[0]?.arrived;
    holds[0]?.release();
    await holds[1]?.arrived;
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b', { jti: '2' }));
    await settle();
    holds[1]?.release();
    expect(await early.settled).toBe(REFUSED);
    await clock.advance(4999);
    expect(late.outcome).toBeUndefined();
    await clock.advance(1);
    expect(await late.settled).toBe('accepted');
  });

  it('[22a] accepts a request that came during the first load', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { issuer } = stage;
    const held = issuer.hold('jwks');
    const first = stage.watch(await issuer.sign('a'));
    await held.arrived;
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b'));
    await settle();
    held.release();
    expect([await first.settled, await late.settled]).toEqual(['accepted', 'accepted']);
  });

  it('[22a] accepts a token without kid when the fetch brought another key than its own', async () => {
    const stage = await scene();
    const { issuer } = stage;
    const held = issuer.hold('jwks');
    await issuer.publish('a', 'b');
    const first = stage.watch(await issuer.sign('b'));
    await held.arrived;
    await issuer.publish('a', 'b', 'n');
    const late = stage.watch(await issuer.sign('n', {}, { kid: undefined }));
    await settle();
    held.release();
    expect([await first.settled, await late.settled]).toEqual(['accepted', 'accepted']);
  });

  it('[22a] returns a newer snapshot to a request for any newer one', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const stale = await provider.current();
    const held = issuer.hold('jwks');
    const running = provider.refreshNow();
    await held.arrived;
    await issuer.publish('a', 'b');
    const asked = provider.requestRefresh({ stale });
    await settle();
    held.release();
    await running;
    expect((await asked).keysWithId('b')).toHaveLength(1);
  });

  it('[22a] accepts a request that came after refreshNow was called', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const held = issuer.hold('jwks');
    const ordered = provider.refreshNow();
    await held.arrived;
    await issuer.publish('a', 'b');
    const late = stage.watch(await issuer.sign('b'));
    await settle();
    held.release();
    await ordered;
    expect(await late.settled).toBe('accepted');
  });
});

describe('requests that wait', () => {
  it('[22b] answers 503 at once to those above maxWaiting, and delays no request with a known key', async () => {
    const stage = await scene({ metadata: { maxWaiting: 5, refreshWait: '60s' } });
    const { clock, issuer, provider } = stage;
    issuer.always('jwks', after(clock, 2000));
    const timers = clock.pendingTimers;
    const crowd = (await signAll(stage, 12, (i) => `unknown-${i}`)).map((token) => stage.watch(token));
    await settle();
    const outcomes = crowd.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === UNAVAILABLE)).toHaveLength(7);
    expect(crowd.find(({ outcome }) => outcome)?.retryAfter).toBeGreaterThanOrEqual(1);
    expect(provider.status().waiting).toBe(5);
    // One for all who wait, one for the exchange, one of the issuer's own.
    expect(clock.pendingTimers).toBe(timers + 1 + 1 + 1);
    expect(await stage.show('a')).toBe('accepted');
    // Two refreshes of two looks each: no deadline has passed, and no timer is left behind.
    await clock.advance(2 * 2 * 2000);
    expect(crowd.filter(({ outcome }) => outcome === REFUSED)).toHaveLength(5);
    expect(provider.status().waiting).toBe(0);
    expect(clock.pendingTimers).toBe(timers);
  });

  it('[22b] settles them and leaves no timer behind when a subscriber requests a refresh from within an event', async () => {
    const metadata = {
      automaticRefreshInterval: '10s',
      lastKnownGoodLifetime: 500,
      refreshWait: '1s',
      timeout: '30s',
    };
    const { clock, issuer, provider, ...stage } = await scene({ metadata });
    issuer.always('all', hang());
    provider.events$.subscribe(({ type }) => {
      if (type === 'metadata-expired') provider.requestRefresh().catch(() => undefined);
    });
    const show = async (kid: string): Promise<Watched> =>
      watch(stage.authenticator.authenticate(await issuer.sign(kid)));
    // The snapshot expires after 10.5 s, between the first one's wait and the second one's.
    await clock.advance(9600);
    const first = await show('b');
    await clock.advance(800);
    const second = await show('c');
    await clock.advance(300);
    expect([first.outcome, second.outcome]).toEqual([UNAVAILABLE, undefined]);
    provider.close();
    await settle();
    expect(second.outcome).toBe(UNAVAILABLE);
    expect(clock.pendingTimers).toBe(0);
  });

  it('[22b] settles them when a subscriber closes the provider, or requests more, once the budget is spent', async () => {
    for (const isClosing of [true, false]) {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      await stage.exhaustBudget();
      await clock.advance('10m');
      await stage.exhaustBudget();
      await issuer.publish('a', 'b');
      provider.events$.subscribe(({ type }) => {
        if (type !== 'budget-exhausted') return;
        if (isClosing) provider.close();
        else others.push(watch(provider.requestRefresh()));
      });
      const others: Watched[] = [];
      const asked = watch(provider.requestRefresh({ kid: 'b' }));
      await clock.advance(5000);
      await settle();
      expect(asked.outcome).toBe(isClosing ? UNAVAILABLE : 'accepted');
      expect(others.map(({ outcome }) => outcome)).toEqual(isClosing ? [] : ['accepted']);
      provider.close();
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('[22b] rejects few in a turn of the event loop when many reach their deadline at once', async () => {
    const stage = await scene({ metadata: { refreshWait: '1s', timeout: '30s' } });
    const { clock, issuer, provider } = stage;
    issuer.always('jwks', hang());
    const crowd = (await signAll(stage, 200, (i) => `unknown-${i}`)).map((token) => stage.watch(token));
    await clock.advance(1000);
    const gone = crowd.filter(({ outcome }) => outcome === UNAVAILABLE).length;
    expect(gone).toBeGreaterThan(0);
    expect(gone).toBeLessThan(50);
    // On the way out, they take the room of others.
    expect(provider.status().waiting).toBe(200 - gone);
    expect(await Promise.all(crowd.map(({ settled }) => settled))).toEqual(crowd.map(() => UNAVAILABLE));
    expect(provider.status().waiting).toBe(0);
  });

  it('[22b] accepts a token when its key comes while its rejection is queued', async () => {
    const stage = await scene({ metadata: { refreshWait: '1s', timeout: '30s' } });
    const { clock, issuer, provider } = stage;
    const held = issuer.hold('jwks');
    const crowd = (await signAll(stage, 200, (i) => (i === 199 ? 'b' : `unknown-${i}`))).map((token) =>
      stage.watch(token),
    );
    await held.arrived;
    await clock.advance(1000);
    expect(crowd.at(-1)?.outcome).toBeUndefined();
    await issuer.publish('a', 'b');
    await provider.refreshNow();
    expect(await crowd.at(-1)?.settled).toBe('accepted');
    held.release();
  });

  it('[22b] frees their room in the queue when they reach their deadline', async () => {
    const stage = await scene({ metadata: { maxWaiting: 3, refreshWait: '1s', timeout: '30s' } });
    const { clock, issuer, provider } = stage;
    issuer.always('jwks', hang());
    const impatient = (await signAll(stage, 3, (i) => `unknown-${i}`)).map((token) => stage.watch(token));
    await clock.advance(1000);
    expect(impatient.map(({ outcome }) => outcome)).toEqual([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
    expect(provider.status().waiting).toBe(0);
    const next = stage.watch(await issuer.sign('b'));
    await settle();
    expect(next.outcome).toBeUndefined();
    expect(provider.status().waiting).toBe(1);
  });
});

describe('the negative cache', () => {
  it('[23] rejects a kid for one second after a miss, and accepts it then when it was published meanwhile', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    expect(await stage.show('b')).toBe(REFUSED);
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe(REFUSED);
    await clock.advance(999);
    expect(await stage.show('b')).toBe(REFUSED);
    expect(stage.attempts()).toBe(1);
    await clock.advance(1);
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.attempts()).toBe(2);
  });

  it('[23] ends with the first change of the key set', async () => {
    const stage = await scene();
    const { issuer } = stage;
    expect(await stage.show('b')).toBe(REFUSED);
    await issuer.publish('a', 'c');
    expect(await stage.show('c')).toBe('accepted');
    await issuer.publish('a', 'b', 'c');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[23] ends as early when the kid is requested again and again', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    expect(await stage.show('b')).toBe(REFUSED);
    await issuer.publish('a', 'b');
    for (let request = 0; request < 4; request++) {
      await clock.advance(200);
      expect(await stage.show('b')).toBe(REFUSED);
    }
    await clock.advance(200);
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[23] forgets the oldest kid when there are more than a thousand', async () => {
    const stage = await scene();
    const { clock } = stage;
    const tokens = await signAll(stage, 1001, (i) => `unknown-${i}`);
    await Promise.all(tokens.map((token) => stage.verdict(token)));
    const attempts = stage.attempts();
    expect(await stage.show('unknown-1000')).toBe(REFUSED);
    expect(await stage.show('unknown-1')).toBe(REFUSED);
    expect(stage.attempts()).toBe(attempts);
    expect(await stage.show('unknown-0')).toBe(REFUSED);
    expect(stage.attempts()).toBe(attempts + 1);
    expect(clock.monotonic()).toBe(0);
  });
});

describe('tokens that are refused before any look-up of a key', () => {
  const now = Date.UTC(2026, 0, 1) / 1000;
  const cases: readonly [string, object, object, string][] = [
    ['of another issuer', { iss: 'https://evil.test' }, {}, 'AUTH_TOKEN_ISSUER_UNKNOWN'],
    ['for another audience', { aud: 'other' }, {}, 'AUTH_TOKEN_AUDIENCE_MISMATCH'],
    ['that have expired', { exp: now - 3600 }, {}, 'AUTH_TOKEN_EXPIRED'],
    ['that are not valid yet', { nbf: now + 3600 }, {}, 'AUTH_TOKEN_NOT_YET_VALID'],
    ['whose iat is no date', { iat: 'now' }, {}, 'AUTH_TOKEN_CLAIM_INVALID'],
    ['without exp', { exp: undefined }, {}, 'AUTH_TOKEN_CLAIM_INVALID'],
    ['of a type that is not accepted', {}, { typ: 'dpop+jwt' }, 'AUTH_TOKEN_TYPE_REFUSED'],
    ['of another kind', { events: {} }, {}, 'AUTH_TOKEN_TYPE_REFUSED'],
    ['bound to a sender', { cnf: { jkt: 'x' } }, {}, 'AUTH_TOKEN_SENDER_CONSTRAINED'],
  ];

  it.each(cases)(
    '[24] rejects tokens %s with a code of their own, and fetches nothing',
    async (_, claims, header, code) => {
      const { issuer, authenticator } = await scene({ metadata: { startup: 'lazy' } });
      const token = await issuer.sign('unknown', { ...claims }, { ...header });
      expect(await outcomeOf(authenticator.authenticate(token))).toBe(code);
      expect(issuer.requests).toEqual([]);
    },
  );

  it('[24] rejects an algorithm that is not accepted, and fetches nothing', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' }, issuer: { algorithms: ['RS256'] } });
    expect(await stage.show('unknown')).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
    expect(stage.issuer.requests).toEqual([]);
  });

  it.each([
    ['', MALFORMED],
    ['.', MALFORMED],
    ['..', MALFORMED],
    ['a.b', MALFORMED],
    ['a.b.c.d.e', MALFORMED],
    ['e30.e30.AA', 'AUTH_TOKEN_ALGORITHM_REFUSED'],
    ['%', MALFORMED],
    ['💥', MALFORMED],
    ['a'.repeat(20_000), MALFORMED],
    ['.'.repeat(16_000), MALFORMED],
  ])('[24] rejects a token such as %j, and fetches nothing', async (token, code) => {
    const { issuer, authenticator } = await scene({ metadata: { startup: 'lazy' } });
    expect(await outcomeOf(authenticator.authenticate(token))).toBe(code);
    expect(issuer.requests).toEqual([]);
  });

  it('[25] rejects an expired token of an unknown key as expired, and fetches nothing', async () => {
    const stage = await scene();
    const calls = stage.issuer.requests.length;
    expect(await stage.show('unknown', { exp: now - 31 })).toBe('AUTH_TOKEN_EXPIRED');
    expect(stage.issuer.requests).toHaveLength(calls);
  });

  it('[25] rejects a token as expired when it expires while it waits', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await issuer.publish('a', 'b');
    issuer.always('jwks', after(clock, 3000));
    const waiting = stage.watch(await issuer.sign('b', { exp: now - 29 }));
    await clock.advance(3000);
    expect(await waiting.settled).toBe('AUTH_TOKEN_EXPIRED');
  });

  it('[25] rejects a foreign issuer and contacts no address that the token names', async () => {
    const { issuer, authenticator } = await scene();
    const calls = issuer.requests.length;
    for (const claims of [
      { iss: 'https://evil.test' },
      { iss: `${issuer.url}/` },
      { iss: issuer.url.toUpperCase() },
    ]) {
      const header = { jku: 'https://evil.test/jwks', x5u: 'https://evil.test/x5u' };
      const token = await issuer.sign('a', claims, header);
      expect(await outcomeOf(authenticator.authenticate(token))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    }
    const pointing = await issuer.sign('b', {}, { jku: 'https://evil.test/jwks' });
    expect(await outcomeOf(authenticator.authenticate(pointing))).toBe(REFUSED);
    expect(issuer.requests.slice(calls).every(({ url }) => url.startsWith(issuer.url))).toBe(true);
  });
});

describe('two issuers', () => {
  it.each([{ first: 'one' }, { first: 'other' }])(
    '[26] verifies tokens of one kid with the key of their own issuer ($first comes first)',
    async ({ first }) => {
      const { issuers, verdict } = await twoIssuers();
      const order = first === 'one' ? issuers : issuers.toReversed();
      for (const issuer of order) {
        const others = issuers.filter((other) => other !== issuer);
        expect(await verdict(await issuer.sign(ownKey(issuer)))).toBe('accepted');
        for (const other of others) {
          expect(await verdict(await issuer.sign(ownKey(other)))).toBe(REFUSED);
        }
      }
    },
  );

  it('[26] keeps the budget of one when that of the other is used up', async () => {
    const { clock, issuers, verdict, providers } = await twoIssuers();
    const [one, other] = issuers;
    for (let i = 0; providers.get('one').status().budget.available > 0; i++) {
      await verdict(await one.sign(await keyOf(`unknown-${i}`)));
    }
    const waiting = watch(verdict(await one.sign(await keyOf('unknown'))));
    await settle();
    expect(waiting.outcome).toBeUndefined();
    expect(providers.get('other').status().budget.available).toBe(5);
    await other.publish(ownKey(other), 'new');
    expect(await verdict(await other.sign('new'))).toBe('accepted');
    expect(await verdict(await one.sign(ownKey(one)))).toBe('accepted');
    expect(clock.monotonic()).toBe(0);
  });

  it('[26] answers 503 for the one in an outage, and accepts new keys of the other', async () => {
    const { issuers, verdict } = await twoIssuers();
    const [one, other] = issuers;
    one.always('all', status(500));
    expect(await verdict(await one.sign('new'))).toBe(UNAVAILABLE);
    await other.publish(ownKey(other), 'new');
    expect(await verdict(await other.sign('new'))).toBe('accepted');
  });
});

describe('a token without kid', () => {
  it('[27] accepts the token when one key fits, and fetches nothing', async () => {
    const rsa = await keyOf('rsa', { alg: 'RS256' });
    const stage = await scene({ keys: ['a', rsa] });
    const calls = stage.issuer.requests.length;
    expect(await stage.verdict(await stage.issuer.sign('a', {}, { kid: undefined }))).toBe('accepted');
    expect(stage.issuer.requests).toHaveLength(calls);
  });

  it('[27] accepts the token when one of the first eight keys fits', async () => {
    const kids = 'abcdefghi'.split('');
    const stage = await scene({ keys: kids, module: { tokenCache: false } });
    for (const [index, kid] of kids.entries()) {
      const outcome = await stage.verdict(await stage.issuer.sign(kid, {}, { kid: undefined }));
      expect([kid, outcome]).toEqual([kid, index < 8 ? 'accepted' : REFUSED]);
    }
  });

  it('[27] answers 401 when no key fits, and refreshes at most as often as for a wrong signature', async () => {
    const stage = await scene();
    for (let i = 0; i < 20; i++) {
      const token = await stage.issuer.sign('b', { jti: String(i) }, { kid: undefined });
      expect(await stage.verdict(token)).toBe(REFUSED);
    }
    expect(stage.attempts()).toBe(1);
    await stage.clock.advance(5000);
    await stage.issuer.publish('a', 'b');
    expect(await stage.verdict(await stage.issuer.sign('b', {}, { kid: undefined }))).toBe('accepted');
  });
});

async function signAll({ issuer }: Scene, count: number, kid: (i: number) => string): Promise<string[]> {
  // One key signs for all of them: what matters is what the header says.
  const key = await keyOf('b');
  return Promise.all(
    Array.from({ length: count }, (_, i) => issuer.sign(key, { jti: String(i) }, { kid: kid(i) })),
  );
}

const materials = new Map<ScriptedIssuer, Awaited<ReturnType<typeof keyOf>>>();

function ownKey(issuer: ScriptedIssuer) {
  const key = materials.get(issuer);
  if (!key) throw new Error('No such issuer');
  return key;
}

async function twoIssuers() {
  const clock = new ManualClock();
  const issuers = [
    new ScriptedIssuer(clock, 'https://one.test'),
    new ScriptedIssuer(clock, 'https://other.test'),
  ] as const;
  for (const issuer of issuers) {
    const key = await keyOf('same', { material: issuer.url });
    materials.set(issuer, key);
    await issuer.publish(key);
  }
  const options = resolveAuthOptions(
    {
      issuers: issuers.map(({ url, fetch }, i) => ({
        name: i === 0 ? 'one' : 'other',
        issuer: url,
        audience: 'api',
        metadata: { fetch },
      })),
    } satisfies Parameters<typeof AuthModule.forRoot>[0],
    {},
  );
  const providers = new IssuerMetadataProviders(
    new Map(
      options.issuers.map(({ name, metadata }) => [
        name,
        new IssuerMetadataProvider(metadata, clock, () => 0.5),
      ]),
    ),
  );
  onTestFinished(() => providers.onModuleDestroy());
  const authenticator = new Authenticator(options, providers, clock);
  await providers.start();
  return {
    clock,
    issuers,
    providers,
    verdict: (token: string) => outcomeOf(authenticator.authenticate(token)),
  };
}

await Promise.all('abcdefghi'.split('').map((kid) => keyOf(kid)));
