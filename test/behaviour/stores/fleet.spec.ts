import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { FleetStore, MemoryStore, type StoreTrouble } from '../../support/stores/memory-store.js';
import { after, hang, keyOf, ScriptedIssuer, status } from '../../support/issuers/scripted-issuer.js';
import { scene, settle, until, watch, type Scene } from '../../support/apps/scene.js';

const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const UNAVAILABLE = 'AUTH_METADATA_UNAVAILABLE';

interface Fleet {
  readonly clock: ManualClock;
  readonly issuer: ScriptedIssuer;
  readonly store: FleetStore;
  readonly replicas: readonly [Scene, Scene, Scene, ...Scene[]];
}

/** Replicas of one service: one clock, one issuer, one store. */
async function fleet(size = 3, metadata = {}): Promise<Fleet> {
  const clock = new ManualClock();
  const issuer = new ScriptedIssuer(clock);
  await issuer.publish('a');
  const store = new FleetStore(clock);
  const join = (index: number): Promise<Scene> =>
    scene({ clock, at: issuer, random: () => (index % 10) / 10, metadata: { store, ...metadata } });
  const [first, second, third, ...others] = await Promise.all(
    Array.from({ length: size }, (_, index) => join(index)),
  );
  if (!first || !second || !third) throw new Error('A fleet has three replicas at least');
  return { clock, issuer, store, replicas: [first, second, third, ...others] };
}

function refreshes(replicas: readonly Scene[]): number {
  return replicas.reduce((sum, stage) => sum + stage.attempts() + stage.attempts('load'), 0);
}

describe('a fleet with one store', () => {
  it('[38] fetches once when fifty replicas start at once', async () => {
    const { replicas, issuer } = await fleet(50);
    expect(refreshes(replicas)).toBe(1);
    expect(issuer.requests).toHaveLength(2);
    for (const stage of replicas) expect(await stage.show('a')).toBe('accepted');
  });

  it('[38] fetches once per interval', async () => {
    const { replicas, clock } = await fleet(20);
    await clock.advance('100m');
    // Nine tenths of ten minutes is the shortest interval that jitter makes.
    expect(refreshes(replicas)).toBeLessThanOrEqual(1 + 100 / 9);
    expect(refreshes(replicas)).toBeGreaterThanOrEqual(10);
    for (const stage of replicas) expect(stage.provider.status().state).toBe('fresh');
  });

  it('[38] fetches once per rollover when all replicas see the new key at once', async () => {
    const { replicas, issuer } = await fleet(20);
    await issuer.publish('a', 'b');
    const token = await issuer.sign('b');
    const verdicts = await Promise.all(replicas.map((stage) => stage.verdict(token)));
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
    expect(refreshes(replicas)).toBe(2);
  });

  it('[38] shares a key that one replica has learned without a further call', async () => {
    const { replicas, issuer } = await fleet();
    await issuer.publish('a', 'b');
    expect(await replicas[0].show('b')).toBe('accepted');
    await settle();
    const calls = issuer.requests.length;
    for (const stage of replicas) expect(stage.provider.status().keyIds).toEqual(['a', 'b']);
    for (const stage of replicas) expect(await stage.show('b')).toBe('accepted');
    expect(issuer.requests).toHaveLength(calls);
  });

  it('[38] withdraws a key everywhere, cached results included, when one replica finds it withdrawn', async () => {
    const { replicas, issuer } = await fleet();
    const token = await issuer.sign('a');
    for (const stage of replicas) expect(await stage.verdict(token)).toBe('accepted');
    await issuer.publish('b');
    await replicas[0].provider.refreshNow();
    await settle();
    for (const stage of replicas) expect(await stage.verdict(token)).toBe(REFUSED);
    expect(refreshes(replicas)).toBe(2);
  });

  it('[20b] accepts a withdrawn key everywhere a second after the issuer rolls back', async () => {
    const { replicas, issuer, clock } = await fleet();
    await issuer.publish('b');
    expect(await replicas[0].show('b')).toBe('accepted');
    await settle();
    for (const stage of replicas) expect(await stage.show('a')).toBe(REFUSED);
    await issuer.publish('a', 'b');
    await clock.advance(1000);
    for (const stage of replicas) expect(await stage.show('a')).toBe('accepted');
    expect(refreshes(replicas)).toBe(3);
  });

  it('serves replicas of different algorithms from one shared snapshot, which holds no secret', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    const rsa = await keyOf('r', { alg: 'RS256' });
    await issuer.publish('a', rsa);
    issuer.published = [...issuer.published, { kty: 'oct', k: 'c2VjcmV0', kid: 's' }];
    const store = new FleetStore(clock);
    const only = (alg: string): Promise<Scene> =>
      scene({ clock, at: issuer, issuer: { algorithms: [alg] }, metadata: { store } });
    const [first, second] = [await only('ES256'), await only('RS256')];
    expect(refreshes([first, second])).toBe(1);
    expect(await first.show('a')).toBe('accepted');
    expect(await second.show(rsa)).toBe('accepted');
    expect(JSON.stringify([...store.snapshots.values()])).not.toContain('c2VjcmV0');
  });

  it('keeps a key that another replica has missed once, until its absence is double-checked', async () => {
    const { replicas, issuer, store } = await fleet();
    const published = store.snapshots.get(issuer.url) ?? raise();
    await issuer.publish('b');
    const keys = [{ ...(await keyOf('b')).jwk }];
    const fence = store.fence + 1;
    store.publish({ ...published, keys, fence, isDoubleChecked: false });
    await settle();
    for (const stage of replicas) expect(stage.provider.status().keyIds).toEqual(['b', 'a']);
    store.publish({ ...published, keys, fence: fence + 1, isDoubleChecked: true });
    await settle();
    for (const stage of replicas) expect(stage.provider.status().keyIds).toEqual(['b']);
  });

  it('[38] accepts a token that waits for the budget of its replica when another replica finds the key', async () => {
    const { replicas, issuer, clock } = await fleet();
    const [attacked, other] = replicas;
    await attacked.exhaustBudget();
    await clock.advance(1);
    await issuer.publish('a', 'b');
    const waiting = attacked.watch(await issuer.sign('b'));
    await settle();
    expect(waiting.outcome).toBeUndefined();
    expect(await other.show('b')).toBe('accepted');
    await until(() => waiting.outcome === 'accepted');
    expect(clock.monotonic()).toBe(1);
  });

  it('[38] accepts a new key on another replica when one is attacked with unknown key ids', async () => {
    const { replicas, issuer, clock } = await fleet();
    const [attacked, other] = replicas;
    for (let second = 0; second < 60; second++) {
      attacked.watch(await issuer.sign(`unknown-${second}`));
      await clock.advance('1s');
    }
    await issuer.publish('a', 'b');
    // The attacked one is cut off: only what the other asks for itself can help it.
    attacked.provider.close();
    const verdict = other.watch(await issuer.sign('b'));
    await until(() => verdict.outcome === 'accepted');
  });

  it('[38] fetches no more than two clients may when every replica is flooded', async () => {
    const { replicas, issuer, clock } = await fleet(10);
    const before = refreshes(replicas);
    const outcomes = [];
    for (let second = 0; second < 60; second++) {
      for (const [index, stage] of replicas.entries())
        outcomes.push(stage.watch(await issuer.sign(`unknown-${second}-${index}`)));
      await clock.advance('1s');
    }
    await clock.advance('20s');
    expect(refreshes(replicas) - before).toBeLessThanOrEqual(2 * (5 + 80 / 5));
    for (const { outcome } of outcomes) expect([REFUSED, UNAVAILABLE]).toContain(outcome);
    expect(outcomes.filter(({ outcome }) => outcome === REFUSED).length).toBeGreaterThan(500);
  });

  it('[38] accepts the token from another replica within the lease when the holder of the lease hangs', async () => {
    // Long enough for the holder to say nothing any more.
    const { replicas, issuer, clock, store } = await fleet(3, { timeout: '30s' });
    const [holder, other] = replicas;
    await issuer.publish('a', 'b');
    const token = await issuer.sign('b');
    issuer.once('jwks', hang());
    holder.watch(token);
    await until(() => store.granted !== undefined);
    const waiting = other.watch(token);
    await settle();
    expect(waiting.outcome).toBeUndefined();
    await clock.advance('5s');
    await until(() => waiting.outcome === 'accepted');
  });

  it('[38] accepts the new key on every replica when no messages come', async () => {
    const { replicas, issuer, clock, store } = await fleet();
    store.isSilent = true;
    await issuer.publish('a', 'b');
    issuer.once('jwks', after(clock, 500));
    const token = await issuer.sign('b');
    const waiting = replicas.map((stage) => stage.watch(token));
    await clock.advance('6s');
    for (const { outcome } of waiting) expect(outcome).toBe('accepted');
  });

  it('fetches anew for a request that came after the running check of another replica began', async () => {
    const { replicas, issuer } = await fleet();
    const [first, second, third] = replicas;
    const held = issuer.hold('jwks');
    const leader = first.watch(await issuer.sign('unknown-1'));
    await held.arrived;
    const follower = second.watch(await issuer.sign('unknown-2'));
    await settle();
    held.release();
    await until(() => leader.outcome === REFUSED && follower.outcome === REFUSED);
    // The follower could not know what the first check had missed: it took a second one.
    expect(refreshes(replicas)).toBe(3);
    expect(third.attempts()).toBe(0);
  });

  it('accepts a token when its key is published while another replica checks', async () => {
    const { replicas, issuer } = await fleet();
    const [first, second] = replicas;
    const held = issuer.hold('jwks');
    first.watch(await issuer.sign('unknown'));
    await held.arrived;
    await issuer.publish('a', 'b');
    const fresh = second.watch(await issuer.sign('b'));
    await settle();
    held.release();
    await until(() => fresh.outcome !== undefined);
    expect(fresh.outcome).toBe('accepted');
  });

  it('fetches as often as one client when the issuer is down', async () => {
    const { replicas, issuer, clock } = await fleet(20);
    issuer.always('all', status(503));
    await clock.advance('10m');
    const before = refreshes(replicas);
    await clock.advance('3h');
    // Five minutes at most, half of it jitter; the first replica to be due is the one with the least.
    expect(refreshes(replicas) - before).toBeLessThanOrEqual(3 * 26);
    for (const stage of replicas) expect(await stage.show('a')).toBe('accepted');
    issuer.recover();
    await clock.advance('5m');
    for (const stage of replicas) expect(stage.provider.status().state).toBe('fresh');
  });

  it('shares the time that the issuer named in Retry-After', async () => {
    const { replicas, issuer, clock } = await fleet();
    const [first, second] = replicas;
    issuer.always('all', status(429, { 'retry-after': '120' }));
    await first.show('unknown');
    await settle();
    issuer.recover();
    const calls = issuer.requests.length;
    expect(await second.show('unknown-2')).toBe(UNAVAILABLE);
    await clock.advance('119s');
    expect(issuer.requests).toHaveLength(calls);
  });

  it('[37a] keeps the newer snapshot when an old genuine one is sent again', async () => {
    const { replicas, issuer, store } = await fleet();
    const old = store.snapshots.get(issuer.url) ?? raise();
    await issuer.publish('b');
    await replicas[0].provider.refreshNow();
    await settle();
    store.publish(old);
    store.snapshots.set(issuer.url, old);
    await settle();
    for (const stage of replicas) {
      expect(stage.provider.status().keyIds).toEqual(['b']);
      expect(await stage.show('a')).toBe(REFUSED);
    }
  });

  it('[39] keeps what a replica found itself when an older check of another arrives after a time without the store', async () => {
    const { replicas, issuer, clock, store } = await fleet();
    const [lonely, other] = replicas;
    const cut = [...store.listeners][0] ?? raise();
    store.listeners.delete(cut);
    await clock.advance('1s');
    await other.provider.refreshNow();
    const published = store.snapshots.get(issuer.url) ?? raise();
    await clock.advance('1s');
    await issuer.publish('b');
    store.trouble = 'rejects';
    await lonely.provider.refreshNow();
    store.trouble = 'none';
    cut.received({ ...published, age: 1000 });
    expect(lonely.provider.status().keyIds).toEqual(['b']);
  });

  it('continues from the highest fence known when the store has lost its memory', async () => {
    const { replicas, issuer, store, clock } = await fleet();
    store.fence = 0;
    store.snapshots.clear();
    await issuer.publish('a', 'b');
    expect(await replicas[0].show('b')).toBe('accepted');
    await settle();
    for (const stage of replicas) expect(stage.provider.status().keyIds).toEqual(['a', 'b']);
    expect(clock.monotonic()).toBe(0);
  });
});

describe('new material under an old kid', () => {
  it.each([
    ['a store', () => new MemoryStore()],
    ['a fleet', (clock: ManualClock) => new FleetStore(clock)],
  ])('[17] accepts its tokens in the same request, with one refresh, when there is %s', async (_, make) => {
    const clock = new ManualClock();
    const stage = await scene({ clock, metadata: { store: make(clock) } });
    const reused = await keyOf('a', { material: 'new' });
    await stage.issuer.publish(reused);
    expect(await stage.show(reused)).toBe('accepted');
    expect(stage.attempts()).toBe(1);
  });
});

describe('forgeries under a known kid', () => {
  it('[38] fetches no more often for a large fleet than for two clients', async () => {
    const clock = new ManualClock();
    const store = new FleetStore(clock);
    const metadata = { store, automaticRefreshInterval: '1h' };
    const first = await scene({ clock, metadata });
    await settle();
    const fleet = [first];
    while (fleet.length < 8) fleet.push(await scene({ clock, at: first.issuer, metadata }));
    await settle();
    const forged = await first.issuer.sign(await keyOf('a', { material: 'forged' }));
    const showEverywhere = async (seconds: number): Promise<number> => {
      const before = fleet.reduce((sum, stage) => sum + stage.attempts(), 0);
      for (let second = 0; second < seconds; second++) {
        for (const stage of fleet) stage.watch(forged);
        await clock.advance(1000);
      }
      return fleet.reduce((sum, stage) => sum + stage.attempts(), 0) - before;
    };
    await showEverywhere(60);
    expect(await showEverywhere(120)).toBeLessThanOrEqual((2 * 120) / 5);
  });
});

describe('a lease that comes too late', () => {
  it.each(['after the deadline of the store', 'after the end'])(
    '[38] releases the lease when it comes %s',
    async (when) => {
      const clock = new ManualClock();
      const store = new FleetStore(clock);
      const { provider, issuer, ...stage } = await scene({ clock, metadata: { store } });
      await settle();
      const acquire = store.acquireLease.bind(store);
      store.acquireLease = async (...request) => {
        const lease = await acquire(...request);
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 1100));
        return lease;
      };
      const asked = watch(stage.authenticator.authenticate(await issuer.sign('b')));
      await clock.advance(100);
      expect(store.granted?.until).toBeGreaterThan(clock.monotonic());
      if (when === 'after the end') provider.close();
      await clock.advance(1500);
      await asked.settled;
      expect(store.granted).toBeUndefined();
      expect(clock.pendingTimers > 0).toBe(when !== 'after the end');
    },
  );
});

describe('a store that fails', () => {
  const troubles: readonly StoreTrouble[] = ['rejects', 'throws', 'hangs'];

  it.each(troubles)(
    '[37] accepts known keys without delay, accepts new ones and rejects unknown ones when the store %s',
    async (trouble) => {
      const { replicas, issuer, clock, store } = await fleet();
      store.trouble = trouble;
      const [stage] = replicas;
      await issuer.publish('a', 'b');
      const fresh = stage.watch(await issuer.sign('b'));
      expect(await stage.show('a')).toBe('accepted');
      expect(clock.monotonic()).toBe(0);
      await clock.advance('1s');
      await until(() => fresh.outcome === 'accepted');
      const unknown = stage.watch(await issuer.sign('unknown'));
      await clock.advance('1s');
      await until(() => unknown.outcome === REFUSED);
      expect(stage.emitted('store-failed')).toHaveLength(1);
      expect(stage.provider.status().store).toMatchObject({ state: 'failing' });
      store.trouble = 'none';
      await clock.advance('11m');
      expect(stage.emitted('store-recovered')).toHaveLength(1);
      expect(stage.provider.status().store).toEqual({ state: 'ok', lastFailure: undefined });
    },
  );

  it.each(troubles)('[37] refreshes automatically when the store %s', async (trouble) => {
    const { replicas, clock, store } = await fleet();
    store.trouble = trouble;
    await clock.advance('30m');
    for (const stage of replicas) expect(stage.provider.status().state).toBe('fresh');
  });

  it('[37] calls the store only for refreshes in the budget when it is flooded', async () => {
    const { replicas, issuer, clock, store } = await fleet();
    const [stage] = replicas;
    const before = store.calls;
    for (let i = 0; i < 600; i++) {
      stage.watch(await issuer.sign(`unknown-${i}`));
      await clock.advance(100);
    }
    await clock.advance('10s');
    // Load, lease and save for each refresh that the replica's own budget permits.
    expect(store.calls - before).toBeLessThanOrEqual(3 * (5 + 70 / 5));
  });

  it('[37] reports the store as failing until its messages come again, even when its calls succeed', async () => {
    const { replicas, store, clock } = await fleet();
    const [stage] = replicas;
    const [listener] = store.listeners;
    listener?.troubled(new Error('Not permitted'));
    await clock.advance('30m');
    expect(stage.provider.status().store).toMatchObject({ state: 'failing' });
    listener?.listening();
    expect(stage.provider.status().store).toMatchObject({ state: 'ok' });
    expect(stage.emitted('store-recovered')).toHaveLength(1);
  });

  it('stops watching the store when it is closed', async () => {
    const { replicas, store } = await fleet();
    for (const { provider } of replicas) provider.close();
    expect(store.listeners.size).toBe(0);
  });
});

describe('a store that only loads and saves', () => {
  it('[38] refreshes once per interval when two processes on one machine share it', async () => {
    const clock = new ManualClock();
    const issuer = new ScriptedIssuer(clock);
    await issuer.publish('a');
    const store = new MemoryStore();
    const join = (random: number): Promise<Scene> =>
      scene({ clock, at: issuer, random: () => random, metadata: { store } });
    const replicas = [await join(0), await join(0.5)];
    expect(refreshes(replicas)).toBe(1);
    await clock.advance('95m');
    expect(refreshes(replicas)).toBeLessThanOrEqual(1 + 95 / 9);
    for (const stage of replicas) expect(stage.provider.status().state).toBe('fresh');
  });

  it('[39] keeps the newer snapshot when the store holds an older one', async () => {
    const clock = new ManualClock();
    const stage = await scene({ clock, metadata: { store: new MemoryStore() } });
    const { provider, issuer } = stage;
    const store = new MemoryStore();
    const other = await scene({ clock, at: issuer, metadata: { store } });
    const old = store.snapshots.get(issuer.url) ?? raise();
    await clock.advance('1m');
    await issuer.publish('b');
    await other.provider.refreshNow();
    store.snapshots.set(issuer.url, old);
    await other.show('unknown');
    expect(other.provider.status().keyIds).toEqual(['b']);
    expect(provider.status().keyIds).toEqual(['a']);
  });
});

function raise(): never {
  throw new Error('It is not there');
}
