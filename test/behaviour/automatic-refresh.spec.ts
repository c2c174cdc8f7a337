import type { MetadataRefreshError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import {
  after,
  deafHang,
  hang,
  keyOf,
  status,
  unreachable,
  type ScriptedIssuer,
} from '../support/issuers/scripted-issuer.js';
import { scene, settle, watch, type Scene } from '../support/apps/scene.js';

const MINUTE = 60_000;

describe('the age of the metadata', () => {
  it('[8] makes no call and keeps its keys when the document has changed before automaticRefreshInterval is over', async () => {
    const { clock, issuer, provider } = await scene();
    const before = issuer.requests.length;
    await issuer.publish('b');
    await clock.advance(10 * MINUTE - 1);
    expect(issuer.requests).toHaveLength(before);
    expect(provider.status()).toMatchObject({ state: 'fresh', keyIds: ['a'] });
  });

  it('[8] serves requests from the current snapshot while the refresh that is due runs', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    await issuer.publish('a', 'b');
    const held = issuer.hold('jwks');
    await clock.advance(10 * MINUTE);
    await held.arrived;
    expect(provider.status()).toMatchObject({ state: 'stale', keyIds: ['a'] });
    expect(await stage.show('a')).toBe('accepted');
    held.release();
    await settle();
    expect(provider.status()).toMatchObject({ state: 'fresh', keyIds: ['a', 'b'] });
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.attempts('on-demand')).toBe(0);
  });
});

describe('the schedule', () => {
  it('[9] calls the issuer once per interval when there is no traffic', async () => {
    const { clock, issuer } = await scene();
    await clock.advance(35 * MINUTE);
    expect(callTimes(issuer)).toEqual([0, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE]);
    expect(issuer.calls('discovery')).toBe(4);
  });

  it('[9] starts no second refresh while one is in flight', async () => {
    const stage = await scene({ metadata: { automaticRefreshInterval: '1s', timeout: '30s' } });
    const { clock, issuer } = stage;
    issuer.once('jwks', after(clock, 20_000));
    await clock.advance(20_900);
    expect(stage.attempts()).toBe(1);
    expect(issuer.calls('jwks')).toBe(2);
    await clock.advance(5000);
    expect(stage.attempts()).toBeGreaterThan(1);
  });

  it('[9] starts no second refresh while one that was asked for is in flight', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await clock.advance(10 * MINUTE - 1000);
    issuer.always('all', hang());
    stage.watch(await issuer.sign('b'));
    await clock.advance(4999);
    expect(stage.attempts()).toBe(1);
    expect(issuer.calls('jwks')).toBe(2);
  });

  it('[9] refreshes again when an automatic refresh fell due during a failing one on demand', async () => {
    for (const reply of [hang(), status(500)]) {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      await clock.advance(10 * MINUTE - 1000);
      issuer.always('all', after(clock, 2000, reply));
      const waiting = stage.watch(await issuer.sign('b'));
      await clock.advance(8000);
      expect(await waiting.settled).toBe('AUTH_METADATA_UNAVAILABLE');
      issuer.recover();
      await clock.advance(MINUTE);
      expect(provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
    }
  });

  it.each([
    { random: 0, minutes: 9 },
    { random: 0.5, minutes: 10 },
    { random: 0.9999999, minutes: 11 },
  ])(
    '[10] plans the next one $minutes minutes ahead when chance says $random',
    async ({ random, minutes }) => {
      const { clock, issuer, provider } = await scene({ random: () => random });
      const due = provider.status().nextRefreshAt?.getTime() ?? 0;
      expect((due - clock.now()) / MINUTE).toBeCloseTo(minutes, 3);
      await clock.advance(minutes * MINUTE - 10);
      expect(issuer.calls('jwks')).toBe(1);
      await clock.advance(20);
      expect(issuer.calls('jwks')).toBe(2);
    },
  );

  it('[10] plans the next one an interval ahead of a refresh on demand, too', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    await clock.advance(5 * MINUTE);
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
    await clock.advance(15 * MINUTE);
    expect(callTimes(issuer)).toEqual([0, 5 * MINUTE, 15 * MINUTE]);
  });

  it('[10] retries sooner after a failure, with growing gaps up to a cap, and as at first after a success', async () => {
    const { clock, issuer, provider } = await scene();
    issuer.always('all', status(500));
    await clock.advance(40 * MINUTE);
    const gaps = differences(callTimes(issuer).slice(1));
    expect(gaps.slice(0, 10)).toEqual([
      750, 1500, 3000, 6000, 12_000, 24_000, 48_000, 96_000, 192_000, 225_000,
    ]);
    expect(Math.max(...gaps)).toBe(225_000);
    issuer.recover();
    await clock.advance(5 * MINUTE);
    expect(provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
    const recovered = callTimes(issuer).at(-1) ?? 0;
    issuer.always('all', status(500));
    await clock.advance(recovered + 10 * MINUTE + 2000 - clock.monotonic());
    expect(callTimes(issuer).slice(-2)).toEqual([recovered + 10 * MINUTE, recovered + 10 * MINUTE + 750]);
  });

  it('[10] draws half of every backoff at random, so that a fleet spreads', async () => {
    const backoffs = [];
    for (const random of [0, 0.999999]) {
      let isLoaded = false;
      // The first draw is for the interval.
      const { clock, issuer } = await scene({ random: () => (isLoaded ? random : 0.5) });
      isLoaded = true;
      issuer.always('all', status(500));
      await clock.advance(10 * MINUTE + 1000);
      backoffs.push(differences(callTimes(issuer).slice(1))[0]);
    }
    expect(backoffs).toEqual([500, 1000]);
  });

  it('[10] keeps its time when refreshes on demand fail', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    const { nextRefreshAt } = provider.status();
    issuer.always('all', status(500));
    await stage.show('b');
    expect(provider.status()).toMatchObject({ nextRefreshAt, lastFailure: { fault: 'status' } });
    await clock.advance(9 * MINUTE);
    expect(stage.attempts('automatic')).toBe(0);
  });

  it('[10] retries when the first load has failed', async () => {
    const { clock, issuer, provider } = await scene({ start: false });
    issuer.always('all', unreachable());
    await provider.start();
    expect(provider.status()).toMatchObject({ state: 'empty', lastFailure: { fault: 'unreachable' } });
    issuer.recover();
    await clock.advance(750);
    expect(provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
  });
});

describe('what the issuer says about time', () => {
  const sayings: readonly { says: string; headers: Readonly<Record<string, string>>; seconds: number }[] = [
    { says: 'max-age=120', headers: { 'cache-control': 'public, max-age=120' }, seconds: 120 },
    { says: 'max-age=0', headers: { 'cache-control': 'max-age=0' }, seconds: 60 },
    { says: 'max-age=15', headers: { 'cache-control': 'max-age=15, must-revalidate' }, seconds: 60 },
    { says: 'max-age=86400', headers: { 'cache-control': 'max-age=86400' }, seconds: 600 },
    {
      says: 'max-age=400 and Age: 100',
      headers: { 'cache-control': 'max-age=400', age: '100' },
      seconds: 300,
    },
    {
      says: 'max-age=400 and Age: 900',
      headers: { 'cache-control': 'max-age=400', age: '900' },
      seconds: 60,
    },
    { says: 'junk', headers: { 'cache-control': 'max-age=soon', age: 'old' }, seconds: 600 },
  ];

  it.each(sayings)(
    '[11] refreshes every $seconds s when the headers say $says',
    async ({ headers, seconds }) => {
      const { clock, issuer, provider } = await scene({ start: false });
      issuer.headers = headers;
      await provider.start();
      await clock.advance(seconds * 1000 - 1);
      expect(issuer.calls('jwks')).toBe(1);
      await clock.advance(1);
      expect(issuer.calls('jwks')).toBe(2);
      await clock.advance(seconds * 1000 * 3);
      expect(issuer.calls('jwks')).toBe(5);
    },
  );

  it('[11] extends the freshness and keeps the key objects when the issuer answers 304', async () => {
    const stage = await scene({ start: false });
    const { clock, issuer, provider } = stage;
    issuer.isConditional = true;
    await provider.start();
    const snapshot = provider.snapshot();
    const [key] = snapshot?.keys ?? [];
    const { expiresAt } = provider.status();
    await clock.advance(10 * MINUTE);
    expect(issuer.statuses).toEqual([200, 200, 304, 304]);
    expect(provider.snapshot()).toBe(snapshot);
    expect(provider.snapshot()?.keys[0]).toBe(key);
    expect(stage.emitted('metadata-changed')).toHaveLength(1);
    expect(provider.status().state).toBe('fresh');
    expect((provider.status().expiresAt?.getTime() ?? 0) - (expiresAt?.getTime() ?? 0)).toBe(10 * MINUTE);
    await issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
  });

  it('[11] rejects a 304 when the request was not conditional', async () => {
    const stage = await scene({ start: false });
    const { issuer, provider } = stage;
    issuer.once('jwks', () => new Response(null, { status: 304 }));
    await provider.start();
    expect(provider.status().state).toBe('empty');
    expect(stage.emitted('refresh-failed')).toHaveLength(1);
  });

  it.each([
    { code: 503, retryAfter: () => '120', seconds: 120 },
    { code: 429, retryAfter: () => '120', seconds: 120 },
    {
      code: 429,
      retryAfter: (stage: Scene) => new Date(stage.clock.now() + 120_000).toUTCString(),
      seconds: 120,
    },
    { code: 503, retryAfter: () => '86400', seconds: 600 },
  ])(
    '[11] makes no call for $seconds s, automatic or on demand, when the issuer answers $code with Retry-After',
    async (asked) => {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      await clock.advance(10 * MINUTE - 1);
      issuer.always('all', (...exchange) =>
        status(asked.code, { 'retry-after': asked.retryAfter(stage) })(...exchange),
      );
      await clock.advance(1);
      expect(issuer.calls('jwks')).toBe(2);
      issuer.recover();
      await issuer.publish('a', 'b');
      const calls = issuer.requests.length;
      const refused = stage.watch(await issuer.sign('b'));
      await settle();
      expect(refused.outcome).toBe('AUTH_METADATA_UNAVAILABLE');
      expect(refused.retryAfter).toBe(asked.seconds);
      await clock.advance(asked.seconds * 1000 - 1000);
      expect(issuer.requests).toHaveLength(calls);
      const patient = stage.watch(await issuer.sign('b'));
      await clock.advance(999);
      expect(issuer.requests).toHaveLength(calls);
      await clock.advance(1);
      expect(await patient.settled).toBe('accepted');
      expect(provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
    },
  );

  it('[11] makes no second request within one refresh when the issuer sent Retry-After', async () => {
    const stage = await scene();
    stage.issuer.always('jwks', status(429, { 'retry-after': '30' }));
    const refused = stage.watch(await stage.issuer.sign('b'));
    await refused.settled;
    expect(refused.retryAfter).toBe(30);
    expect(stage.issuer.calls('discovery')).toBe(1);
  });

  it('[11] waits as long as Retry-After of either document says, and the longer time when both do', async () => {
    for (const [discovery, jwks] of [
      [status(503, { 'retry-after': '120' }), unreachable()],
      [unreachable(), status(503, { 'retry-after': '120' })],
      [status(503, { 'retry-after': '120' }), status(503, { 'retry-after': '5' })],
    ] as const) {
      const { clock, issuer } = await scene();
      issuer.once('discovery', discovery);
      issuer.once('jwks', jwks);
      await clock.advance(10 * MINUTE + 119_999);
      expect(issuer.calls('jwks')).toBe(2);
      await clock.advance(1);
      expect(issuer.calls('jwks')).toBe(3);
    }
  });

  it('[11] keeps the time of Retry-After when a later failure has none', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    issuer.once('jwks', status(503, { 'retry-after': '120' }));
    await stage.show('b');
    issuer.always('all', unreachable());
    expect(await watch(provider.refreshNow()).settled).toBe('AUTH_METADATA_UNAVAILABLE');
    issuer.recover();
    const calls = issuer.requests.length;
    await clock.advance(100_000);
    expect(await stage.show('b')).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(issuer.requests).toHaveLength(calls);
  });
});

describe('close', () => {
  const moments: readonly [string, (stage: Scene) => Promise<unknown>][] = [
    ['the key set is being read', async ({ issuer }) => issuer.always('jwks', hang())],
    ['the key set is being read by a deaf fetch', async ({ issuer }) => issuer.always('jwks', deafHang())],
    [
      'the discovery document is being read for the second look',
      async ({ issuer }) => issuer.always('discovery', hang()),
    ],
    [
      'the discovery document is being read because the key set has moved',
      async ({ issuer }) => {
        issuer.always('jwks', status(404));
        issuer.always('discovery', hang());
      },
    ],
    [
      'the body is on its way',
      async ({ issuer }) => issuer.always('jwks', () => new Response(new ReadableStream({}))),
    ],
  ];

  it.each(moments)(
    '[12] ends every wait, timer and stream when it is called while %s',
    async (_, prepare) => {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      const ended: string[] = [];
      provider.events$.subscribe({ complete: () => ended.push('events$') });
      provider.metadata$.subscribe({ complete: () => ended.push('metadata$') });
      await prepare(stage);
      const waiting = [
        stage.watch(await issuer.sign('b')),
        stage.watch(await issuer.sign('c')),
        watch(provider.refreshNow()),
      ];
      await settle();
      expect(waiting.map(({ outcome }) => outcome)).toEqual([undefined, undefined, undefined]);
      const calls = issuer.requests.length;
      provider.close();
      const outcomes = await Promise.all(waiting.map(({ settled }) => settled));
      expect(new Set(outcomes)).toEqual(new Set(['AUTH_METADATA_UNAVAILABLE']));
      await settle();
      expect(clock.pendingTimers).toBe(0);
      expect(issuer.requests.filter(({ signal }) => !signal.aborted)).toEqual([]);
      expect(ended.toSorted()).toEqual(['events$', 'metadata$']);
      await clock.advance(24 * 60 * MINUTE);
      expect(issuer.requests).toHaveLength(calls);
    },
  );

  it('[12] rejects requests that wait for the budget', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    await stage.exhaustBudget();
    const waiting = stage.watch(await issuer.sign('b'));
    await settle();
    expect(waiting.outcome).toBeUndefined();
    const calls = issuer.requests.length;
    provider.close();
    expect(await waiting.settled).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(MINUTE);
    expect(issuer.requests).toHaveLength(calls);
  });

  it('[12] resolves the start when the first load runs, and later calls fail at once', async () => {
    const stage = await scene({ start: false });
    const { clock, issuer, provider } = stage;
    issuer.always('discovery', hang());
    const booted = provider.start();
    await settle();
    provider.close();
    await booted;
    expect(await watch(provider.refreshNow()).settled).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(await stage.show('a')).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(clock.pendingTimers).toBe(0);
    expect(issuer.requests).toHaveLength(1);
  });

  it('[12] keeps the snapshot for the requests that are being finished', async () => {
    const stage = await scene();
    stage.provider.close();
    stage.provider.close();
    expect(await stage.show('a')).toBe('accepted');
    expect(await stage.show('b')).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it('[12] emits no event after the end when a fetch that ignores its signal still answers', async () => {
    const stage = await scene();
    const { issuer, provider } = stage;
    const held = issuer.hold('jwks');
    issuer.once('discovery', () => new Promise(() => {}));
    const errors: MetadataRefreshError[] = [];
    provider.events$.subscribe((event) => event.type === 'refresh-failed' && errors.push(event.error));
    void watch(provider.refreshNow());
    await held.arrived;
    await issuer.publish('b');
    provider.close();
    held.release();
    await settle();
    expect(errors).toEqual([]);
    expect(provider.snapshot()?.keysWithId('a')).toHaveLength(1);
  });
});

function callTimes({ requests }: ScriptedIssuer): number[] {
  return requests.filter(({ endpoint }) => endpoint === 'jwks').map(({ at }) => at);
}

function differences(times: readonly number[]): number[] {
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

await Promise.all(['a', 'b', 'c'].map((kid) => keyOf(kid)));
