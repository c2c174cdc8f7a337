import { createServer, type Server } from 'node:http';
import { Test } from '@nestjs/testing';
import { AuthModule, Authenticator, Clock, MetadataUnavailableError } from 'nestjs-resilient-auth';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  after,
  cutOff,
  deafHang,
  drip,
  hang,
  keyOf,
  ScriptedIssuer,
  status,
  text,
  unreachable,
  type Reply,
} from '../support/issuers/scripted-issuer.js';
import { outcomeOf, scene, settle, until, watch } from '../support/apps/scene.js';

// Some outages are real ones.
vi.setConfig({ testTimeout: 30_000 });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const UNAVAILABLE = 'AUTH_METADATA_UNAVAILABLE';

/** Every kind of outage, and what the library calls it. */
const outages: readonly [string, (clock: ManualClock) => Reply, string][] = [
  ['refuses connections', () => unreachable(), 'unreachable'],
  ['cannot be found', () => unreachable('ENOTFOUND'), 'unreachable'],
  ['resets connections', () => unreachable('ECONNRESET'), 'unreachable'],
  ['fails the TLS handshake', () => tlsFailure, 'unreachable'],
  ['hangs', () => hang(), 'timeout'],
  ['hangs, and fetch does not heed its signal', () => deafHang(), 'timeout'],
  ['drips', (clock) => drip(clock, 1000), 'timeout'],
  ['sends headers and no body', () => () => new Response(new ReadableStream({})), 'timeout'],
  ['cuts the body off', () => cutOff(), 'unreachable'],
  ['answers 400', () => status(400), 'status'],
  ['answers 401', () => status(401), 'status'],
  ['answers 404', () => status(404), 'status'],
  ['answers 500', () => status(500), 'status'],
  ['answers 204', () => () => new Response(null, { status: 204 }), 'status'],
  ['answers 206', () => status(206), 'status'],
  ['shows a captive portal', () => text('<!doctype html>'), 'not-json'],
  ['throws something that is no error', () => () => Promise.reject('nothing'), 'unreachable'],
];

describe('an outage after warm-up', () => {
  it.each(outages)(
    '[28] serves known keys until lastKnownGoodLifetime, then answers 503, then recovers, when the issuer %s',
    async (_, outage, fault) => {
      const stage = await scene({ metadata: { lastKnownGoodLifetime: '1h' } });
      const { clock, issuer, provider } = stage;
      issuer.always('all', outage(clock));
      const token = await issuer.sign('a');
      await advanceTo(clock, 70 * MINUTE - 1);
      expect(provider.status()).toMatchObject({ state: 'stale', lastFailure: { fault } });
      expect(await stage.verdict(token)).toBe('accepted');
      expect(await stage.show('a')).toBe('accepted');
      await advanceTo(clock, 70 * MINUTE);
      expect(provider.status().state).toBe('expired');
      for (const expired of [stage.watch(token), stage.watch(await issuer.sign('a'))]) {
        await clock.advance(10_000);
        expect(await expired.settled).toBe(UNAVAILABLE);
        expect(expired.retryAfter).toBeGreaterThanOrEqual(1);
      }
      expect(stage.emitted('metadata-expired')).toHaveLength(1);
      issuer.recover();
      await clock.advance(5 * MINUTE);
      expect(await stage.verdict(token)).toBe('accepted');
    },
  );

  it.each(outages)('[28] fetches far less than once per request when the issuer %s', async (_, outage) => {
    const stage = await scene();
    const { clock, issuer } = stage;
    issuer.always('all', outage(clock));
    const requests = [];
    for (let i = 0; i < 10; i++) {
      requests.push(stage.watch(await issuer.sign('b', { jti: String(i) })));
      await clock.advance(500);
    }
    await clock.advance(10_000);
    const outcomes = await Promise.all(requests.map(({ settled }) => settled));
    expect(new Set(outcomes)).toEqual(new Set([UNAVAILABLE]));
    expect(stage.attempts()).toBeLessThanOrEqual(4);
  });

  it.each(outages)(
    '[32] settles a refresh within its timeout when the issuer %s',
    async (_, outage, fault) => {
      const { clock, issuer, provider } = await scene();
      issuer.always('all', outage(clock));
      const refresh = watch(provider.refreshNow());
      await until(() => issuer.calls('jwks') === 2);
      await clock.advance(5000);
      await until(() => refresh.outcome !== undefined);
      expect(refresh.outcome).toBe(UNAVAILABLE);
      expect(provider.status().lastFailure?.fault).toBe(fault);
      expect(clock.pendingTimers).toBeLessThanOrEqual(fault === 'timeout' ? 2 : 1);
    },
  );

  it.each(outages)(
    '[32] settles a refresh on demand within its timeout when the issuer %s',
    async (_, outage) => {
      const stage = await scene();
      const { clock, issuer } = stage;
      issuer.always('all', outage(clock));
      const waiting = stage.watch(await issuer.sign('b'));
      await clock.advance(5000);
      await until(() => waiting.outcome !== undefined);
      expect(waiting.outcome).toBe(UNAVAILABLE);
    },
  );
});

describe('an outage', () => {
  it('[29] answers 503 with Retry-After within refreshWait when the key is unknown', async () => {
    const stage = await scene({ metadata: { refreshWait: '2s' } });
    const { clock, issuer } = stage;
    issuer.always('all', hang());
    const waiting = stage.watch(await issuer.sign('b'));
    await clock.advance(1999);
    expect(waiting.outcome).toBeUndefined();
    await clock.advance(1);
    expect(waiting).toMatchObject({ outcome: UNAVAILABLE, retryAfter: 1 });
  });

  it('[29] answers 503 at once when the key is unknown and the backoff is longer than refreshWait', async () => {
    const stage = await scene({ metadata: { refreshWait: '2s' } });
    const { clock, issuer } = stage;
    issuer.always('all', status(503, { 'retry-after': '60' }));
    await stage.show('b');
    const calls = issuer.requests.length;
    await clock.advance(1000);
    const refused = stage.watch(await issuer.sign('b'));
    await settle();
    expect(refused).toMatchObject({ outcome: UNAVAILABLE, retryAfter: 59 });
    expect(issuer.requests).toHaveLength(calls);
    expect(clock.monotonic()).toBe(1000);
  });

  it('[29] answers 503 at once when the key is unknown and refreshWait is 0', async () => {
    const stage = await scene({ metadata: { refreshWait: 0 } });
    const { clock, issuer } = stage;
    issuer.always('all', hang());
    const refused = stage.watch(await issuer.sign('b'));
    await clock.advance(0);
    expect(refused.outcome).toBe(UNAVAILABLE);
  });

  it('[29] answers 401 when the signature is wrong, because no call of the issuer is needed for that', async () => {
    const stage = await scene();
    stage.issuer.always('all', status(500));
    expect(await stage.show(await keyOf('a', { material: 'forged' }))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[28] refreshes twice at most when the snapshot has expired and fifty requests come at once', async () => {
    const stage = await scene({ metadata: { lastKnownGoodLifetime: 0 } });
    const { clock, issuer } = stage;
    issuer.always('all', status(500));
    await clock.advance(20 * MINUTE);
    const before = stage.attempts('on-demand');
    const crowd = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => issuer.sign('a', { jti: String(i) })),
    );
    const waiting = crowd.map((token) => stage.watch(token));
    await clock.advance(10_000);
    expect(new Set(await Promise.all(waiting.map(({ settled }) => settled)))).toEqual(new Set([UNAVAILABLE]));
    // The first one's own, and one more for those who came when it was under way.
    expect(stage.attempts('on-demand') - before).toBeLessThanOrEqual(2);
    issuer.recover();
    await clock.advance(5 * MINUTE);
    expect(await stage.show('a')).toBe('accepted');
  });
});

describe('a cold start with the issuer down', () => {
  it('[30] starts, answers 503 and recovers without a request when startup is wait', async () => {
    const { issuer, clock, boot } = await cold({ startup: 'wait' });
    issuer.always('all', unreachable());
    const { authenticator } = await boot();
    const refused = watch(authenticator.authenticate(await issuer.sign('a')));
    await clock.advance(1000);
    expect(await refused.settled).toBe(UNAVAILABLE);
    issuer.recover();
    // No request is needed: the schedule does it.
    await clock.advance(5000);
    expect(await outcomeOf(authenticator.authenticate(await issuer.sign('a')))).toBe('accepted');
  });

  it('[30] boots once the first load has timed out when startup is wait', async () => {
    const { issuer, clock, boot } = await cold({ startup: 'wait' });
    issuer.always('all', hang());
    const booting = boot();
    await until(() => issuer.requests.length === 1);
    await clock.advance(5000);
    const { authenticator } = await booting;
    const refused = watch(authenticator.authenticate(await issuer.sign('a')));
    await clock.advance(10_000);
    expect(await refused.settled).toBe(UNAVAILABLE);
  });

  it('[30] fails the boot with address and cause when startup is require', async () => {
    const { issuer, clock, boot } = await cold({ startup: 'require' });
    issuer.always('all', unreachable());
    const error: unknown = await boot().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MetadataUnavailableError);
    expect(String(error)).toContain(`${issuer.url}/.well-known/openid-configuration`);
    expect(String(error)).toContain('ECONNREFUSED');
    // Nothing goes on behind an application that does not run.
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(HOUR);
    expect(issuer.requests).toHaveLength(1);
  });

  it('[30] boots when startup is require and the issuer is there', async () => {
    const { issuer, boot } = await cold({ startup: 'require' });
    const { authenticator } = await boot();
    expect(await outcomeOf(authenticator.authenticate(await issuer.sign('a')))).toBe('accepted');
  });

  it('[30] boots at once and makes no call when startup is lazy', async () => {
    const { issuer, clock, boot } = await cold({ startup: 'lazy' });
    issuer.always('all', hang());
    const { authenticator } = await boot();
    await clock.advance(HOUR);
    expect(issuer.requests).toEqual([]);
    issuer.recover();
    expect(await outcomeOf(authenticator.authenticate(await issuer.sign('a')))).toBe('accepted');
  });
});

describe('a slow load', () => {
  it('[29] shares one refreshWait with the refresh for an unknown key', async () => {
    const { clock, issuer, authenticator } = await scene({ start: false });
    issuer.always('all', after(clock, 4500));
    const asked = watch(authenticator.authenticate(await issuer.sign('b')));
    await clock.advance(9999);
    expect(asked.outcome).toBeUndefined();
    await clock.advance(1);
    expect(await asked.settled).toBe('AUTH_METADATA_UNAVAILABLE');
  });
});

describe('a failed load', () => {
  it('[31] loads again when the next request comes', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { clock, issuer, provider } = stage;
    issuer.once('discovery', status(500));
    expect(await stage.show('a')).toBe(UNAVAILABLE);
    expect(provider.status().state).toBe('empty');
    const next = stage.watch(await issuer.sign('a'));
    await clock.advance(750);
    expect(await next.settled).toBe('accepted');
  });

  it('[31] loads again when the first connection never ends', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { clock, issuer } = stage;
    issuer.once('discovery', deafHang());
    const first = stage.watch(await issuer.sign('a'));
    await clock.advance(5000);
    expect(await first.settled).toBe(UNAVAILABLE);
    const second = stage.watch(await issuer.sign('a'));
    await clock.advance(750);
    expect(await second.settled).toBe('accepted');
  });

  it('[31] loads in full after the backoff when the key set was cut off', async () => {
    const stage = await scene({ metadata: { startup: 'lazy' } });
    const { clock, issuer } = stage;
    issuer.once('jwks', cutOff());
    expect(await stage.show('a')).toBe(UNAVAILABLE);
    await clock.advance(750);
    expect(await stage.show('a')).toBe('accepted');
  });
});

describe('a chain of slow answers', () => {
  it('[32] ends within five timeouts, in one refresh', async () => {
    const stage = await scene({ metadata: { refreshWait: '60s' } });
    const { clock, issuer } = stage;
    issuer.jwksUri = `${issuer.url}/moved/jwks`;
    await issuer.publish('c');
    issuer.always('all', after(clock, 4999));
    const waiting = stage.watch(await issuer.sign('b'));
    await clock.advance(5 * 5000);
    expect(await waiting.settled).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    expect(stage.attempts()).toBe(1);
  });

  it('[32] rejects at its deadline when the fetch fails only later', async () => {
    const { clock, issuer, provider } = await scene();
    issuer.always('all', async (...exchange) => {
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 7000));
      return status(500)(...exchange);
    });
    const refresh = watch(provider.refreshNow());
    await clock.advance(5000);
    expect(await refresh.settled).toBe(UNAVAILABLE);
    expect(provider.status().lastFailure?.fault).toBe('timeout');
    await clock.advance(5000);
  });
});

/** A real one: TLS spoken to a server that does not. */
const tlsFailure: Reply = async ({ signal }) => {
  const server = await plainServer();
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port');
  return fetch(`https://127.0.0.1:${address.port}/jwks`, { signal });
};

let listening: Promise<Server> | undefined;

function plainServer(): Promise<Server> {
  listening ??= new Promise((resolve) => {
    const server = createServer().unref();
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
  return listening;
}

/** In steps, so that a real connection has time to fail. */
async function advanceTo(clock: ManualClock, time: number): Promise<void> {
  while (clock.monotonic() < time) {
    await clock.advance(Math.min(MINUTE, time - clock.monotonic()));
    await settle();
  }
}

async function cold(metadata: { startup: 'wait' | 'require' | 'lazy' }) {
  const clock = new ManualClock();
  const issuer = new ScriptedIssuer(clock);
  await issuer.publish('a');
  const boot = async () => {
    const options = { issuer: issuer.url, audience: 'api', metadata: { fetch: issuer.fetch, ...metadata } };
    const builder = Test.createTestingModule({ imports: [AuthModule.forRoot(options)] });
    const module = await builder.overrideProvider(Clock).useValue(clock).compile();
    onTestFinished(() => module.close());
    await module.init();
    return { authenticator: module.get(Authenticator) };
  };
  return { clock, issuer, boot };
}

await Promise.all(['a', 'b', 'c'].map((kid) => keyOf(kid)));
