import type { MetadataStore, StoreListener } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { logMetadataEvents } from '../../../lib/metadata/metadata-log.js';
import { FleetStore, MemoryStore } from '../../support/stores/memory-store.js';
import { keyOf, ScriptedIssuer, status } from '../../support/issuers/scripted-issuer.js';
import { scene, settle, until } from '../../support/apps/scene.js';

const MINUTE = 60_000;

/** An error that is not caught would end the process. */
function uncaught(): unknown[] {
  const caught: unknown[] = [];
  const note = (error: unknown): void => void caught.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  onTestFinished(() => {
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
  });
  return caught;
}

const nothing: MetadataStore = {
  load: () => Promise.resolve(undefined),
  save: () => Promise.resolve(),
};
const release = (): Promise<void> => Promise.resolve();
const hostile = {
  get isGranted(): boolean {
    throw new Error('A getter');
  },
};

describe('[37] a store that returns anything at all', () => {
  const junk: readonly (readonly [string, object])[] = [
    ['a time that is no number', { load: () => Promise.resolve({ checkedAt: { valueOf: 1, toString: 1 } }) }],
    ['a symbol', { load: () => Promise.resolve({ checkedAt: Symbol('now') }) }],
    [
      'a snapshot that throws when read',
      {
        load: () =>
          Promise.resolve(
            Object.defineProperty({}, 'issuer', {
              enumerable: true,
              get: () => {
                throw new Error('lazy');
              },
            }),
          ),
      },
    ],
    ['a rejection without a prototype', { load: () => Promise.reject(Object.create(null)) }],
    [
      'an error whose message is none',
      { load: () => Promise.reject(Object.assign(new Error('x'), { message: { code: 1 } })) },
    ],
    [
      'a lease that throws when read',
      { acquireLease: () => Promise.resolve(hostile), releaseLease: release },
    ],
    ['an empty lease', { acquireLease: () => Promise.resolve({}), releaseLease: release }],
    [
      'a lease of NaN',
      {
        acquireLease: () => Promise.resolve({ isGranted: true, fence: Number.NaN }),
        releaseLease: release,
      },
    ],
    ['no lease', { acquireLease: () => Promise.resolve(undefined), releaseLease: release }],
    ['a watch that rejects', { watch: () => Promise.reject(new Error('No channel')) }],
    [
      'a watch that throws',
      {
        watch: () => {
          throw new Error('No channel');
        },
      },
    ],
    ['a watch that returns nothing', { watch: () => undefined }],
    [
      'a watch whose end throws',
      {
        watch: () => () => {
          throw new Error('Still there');
        },
      },
    ],
    ['methods that are none', { acquireLease: undefined, releaseLease: undefined, watch: undefined }],
  ];

  it.each(junk)('boots, verifies, refreshes and closes when it has %s', async (_what, change) => {
    const errors = uncaught();
    const stage = await scene({ metadata: { store: { ...nothing, ...change } } });
    logMetadataEvents(stage.provider, { log: () => {}, warn: () => {}, error: () => {} });
    expect(await stage.show('a')).toBe('accepted');
    await stage.issuer.publish('a', 'b');
    expect(await stage.show('b')).toBe('accepted');
    await stage.clock.advance('30m');
    expect(stage.provider.status().state).toBe('fresh');
    stage.provider.close();
    await settle();
    expect(errors).toEqual([]);
  });

  it.each([
    ['an infinite fence', { fence: Number.POSITIVE_INFINITY, retryAfter: 0 }],
    ['a fence that leaves no room', { fence: Number.MAX_SAFE_INTEGER, retryAfter: 600_000 }],
    ['a time of NaN', { fence: 200, retryAfter: Number.NaN }],
    ['nothing', undefined],
  ])('refreshes when a failure notice holds %s', async (_what, notice) => {
    const errors = uncaught();
    const clock = new ManualClock();
    const store = new FleetStore(clock);
    const stage = await scene({ clock, metadata: { store } });
    const [listener] = store.listeners;
    if (listener) Reflect.apply(Reflect.get(listener, 'failed'), listener, [notice]);
    await stage.issuer.publish('a', 'b');
    const fresh = stage.watch(await stage.issuer.sign('b'));
    await clock.advance('2s');
    expect(fresh.outcome).toBe('accepted');
    expect(stage.provider.status().nextRefreshAt?.getTime()).toBeGreaterThan(clock.now());
    expect(errors).toEqual([]);
  });

  it.each([
    ['says that another replica has the lease', {}],
    ['says that the budget is spent', { reason: 'budget-spent' }],
  ])('accepts new keys and refreshes when the store always %s', async (_what, more) => {
    const refusal = { isGranted: false, reason: 'held', fence: 7, retryAfter: 500, ...more };
    const lies = { ...nothing, acquireLease: () => Promise.resolve(refusal), releaseLease: release };
    const clock = new ManualClock();
    const starting = scene({ clock, metadata: { store: lies } });
    await clock.advance('8s');
    const stage = await starting;
    await stage.issuer.publish('a', 'b');
    const fresh = stage.watch(await stage.issuer.sign('b'));
    await clock.advance('9s');
    expect(fresh.outcome).toBe('accepted');
    const before = stage.attempts('automatic');
    await clock.advance('1h');
    expect(stage.attempts('automatic') - before).toBeGreaterThan(3);
    expect(stage.provider.status().state).toBe('fresh');
  });

  it('[38] keeps to the budget of the fleet when other replicas spend every refresh that is refilled', async () => {
    const clock = new ManualClock();
    const fence = (): number => 7 + Math.floor(clock.monotonic() / 2000);
    const spentByOthers = {
      ...nothing,
      acquireLease: () =>
        Promise.resolve({ isGranted: false, reason: 'budget-spent', fence: fence(), retryAfter: 500 }),
      releaseLease: release,
    };
    const starting = scene({ clock, metadata: { store: spentByOthers } });
    await clock.advance('8s');
    const stage = await starting;
    for (let second = 0; second < 60; second++) {
      stage.watch(await stage.issuer.sign(`unknown-${second}`));
      await clock.advance('1s');
    }
    expect(stage.attempts('on-demand')).toBe(0);
  });

  it('accepts a new key within a short refreshWait when the store hangs', async () => {
    const clock = new ManualClock();
    const store = new FleetStore(clock);
    const stage = await scene({ clock, metadata: { store, refreshWait: '1s' } });
    store.trouble = 'hangs';
    await stage.issuer.publish('a', 'b');
    const fresh = stage.watch(await stage.issuer.sign('b'));
    await clock.advance(300);
    expect(fresh.outcome).toBe('accepted');
  });
});

describe('a replica that is cold, expired or late', () => {
  it('[36] starts on an old snapshot, too, when another replica has failed to reach the issuer', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    await issuer.publish('a');
    const store = new FleetStore(clock);
    const first = await scene({ clock, at: issuer, metadata: { store } });
    first.provider.close();
    await clock.advance('1h');
    issuer.always('all', status(503));
    const held = issuer.hold('discovery');
    const join = () => scene({ clock, at: issuer, metadata: { store, startup: 'require' } });
    const [second, third] = [join(), join()];
    await held.arrived;
    held.release();
    await clock.advance('6s');
    for (const stage of await Promise.all([second, third])) {
      expect(await stage.show('a')).toBe('accepted');
      expect(stage.provider.status()).toMatchObject({ state: 'stale', source: 'store' });
    }
  });

  it('[36] serves from the store when its own snapshot has expired', async () => {
    const clock = new ManualClock();
    const store = new MemoryStore();
    const stage = await scene({ clock, metadata: { store, lastKnownGoodLifetime: '2h' } });
    stage.issuer.always('all', status(503));
    await clock.advance('3h');
    expect(stage.provider.status().state).toBe('expired');
    const stored = store.snapshots.get(stage.issuer.url);
    if (stored) store.snapshots.set(stage.issuer.url, { ...stored, checkedAt: clock.now() - 60 * MINUTE });
    const verdict = stage.watch(await stage.issuer.sign('a'));
    await clock.advance('10s');
    expect(verdict.outcome).toBe('accepted');
    expect(stage.provider.status()).toMatchObject({ state: 'stale', source: 'store' });
  });

  it('[20a] accepts a key that it has found itself when a snapshot of a stale node arrives meanwhile', async () => {
    const clock = new ManualClock();
    const watched: StoreListener[] = [];
    const store = {
      ...nothing,
      watch: (_issuer: string, listener: StoreListener) => {
        watched.push(listener);
        return () => {};
      },
    };
    const stage = await scene({ clock, metadata: { store } });
    await clock.advance('1m');
    await stage.issuer.publish('a', 'b');
    const held = stage.issuer.hold('jwks');
    const fresh = stage.watch(await stage.issuer.sign('b'));
    await held.arrived;
    await clock.advance(100);
    const { jwk } = await keyOf('a');
    const keys = [{ ...jwk }];
    const { url, jwksUri } = stage.issuer;
    watched[0]?.received({ issuer: url, jwksUri, keys, checkedAt: clock.now() - 50 });
    held.release();
    await until(() => fresh.outcome !== undefined);
    expect(fresh.outcome).toBe('accepted');
  });

  it('[38] accepts the key when a message overtakes the refusal of the lease', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    await issuer.publish('a');
    const store = new FleetStore(clock);
    const first = await scene({ clock, at: issuer, metadata: { store } });
    const second = await scene({ clock, at: issuer, metadata: { store } });
    await issuer.publish('a', 'b');
    const held = issuer.hold('jwks');
    const leader = first.watch(await issuer.sign('unknown'));
    await held.arrived;
    const acquire = store.acquireLease.bind(store);
    let isLate = true;
    store.acquireLease = async (name, request) => {
      const refusal = await acquire(name, request);
      if (isLate) {
        isLate = false;
        held.release();
        await until(() => leader.outcome !== undefined);
      }
      return refusal;
    };
    const follower = second.watch(await issuer.sign('unknown-2'));
    await until(() => follower.outcome !== undefined);
    expect(clock.monotonic()).toBe(0);
  });

  it('[38] reads the store again before it calls the issuer when no messages come', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    await issuer.publish('a');
    const store = new FleetStore(clock);
    store.isSilent = true;
    const starting = Array.from({ length: 20 }, () => scene({ clock, at: issuer, metadata: { store } }));
    await clock.advance('6s');
    await Promise.all(starting);
    expect(issuer.requests).toHaveLength(2);
  });
});

describe('closing', () => {
  it.each([
    ['loads', () => new MemoryStore()],
    ['leases', (clock: ManualClock) => new FleetStore(clock)],
  ])('[12] waits for nothing while a store that %s hangs', async (_, make) => {
    const clock = new ManualClock();
    const store = make(clock);
    const stage = await scene({ clock, metadata: { store } });
    await settle();
    store.trouble = 'hangs';
    const asked = stage.watch(await stage.issuer.sign('b'));
    await settle();
    stage.provider.close();
    await settle();
    expect(asked.outcome).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(clock.pendingTimers).toBe(0);
  });
});
