import { Controller, Get, Injectable, Param } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { Test } from '@nestjs/testing';
import {
  AllowAnonymous,
  AuthConfigurationError,
  Authorized,
  AuthorizedGuard,
  AuthModule,
  CurrentUser,
  MetadataProvider,
  type Claims,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { ManualClock, type TestIssuer, type TestIssuerFault } from 'nestjs-resilient-auth/testing';
import request from 'supertest';
import { describe, expect, it, vi } from 'vitest';
import type { Api } from '../support/apps/api.js';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms, type CreateApplication } from '../support/apps/platforms.js';
import { until } from '../support/apps/scene.js';

// Real keys of every kind and real connections: nothing to hurry on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What every caller may see of a key that is not known, a signature that is wrong, and a check that could not be made. */
const invalid = { statusCode: 401, errorCode: 'AUTH_TOKEN_SIGNATURE_INVALID' };
const unavailable = { statusCode: 503, errorCode: 'AUTH_METADATA_UNAVAILABLE' };

describe.each(platforms)('an API on $platform', ({ create }) => {
  it('[2] answers 200 after one retrieval when fifty requests come at a cold start', async () => {
    const { issuer, api } = await open(create, { metadata: { startup: 'lazy' } });
    const token = await issuer.sign({ sub: 'alice' });
    issuer.clearRequests();
    const answers = await Promise.all(Array.from({ length: 50 }, () => api.get('/orders', token)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(endpoints(issuer)).toEqual(['discovery', 'jwks']);
  });

  it('[3] answers 200 for a known key while a refresh for another key hangs', async () => {
    const { issuer, api } = await open(create, { metadata: { timeout: '30s', refreshWait: '60s' } });
    const token = await issuer.sign();
    const held = issuer.hold('jwks');
    await issuer.rotateKeys();
    const waiting = send(api, await issuer.sign());
    await held.arrived;
    await api.get('/orders', token).expect(200);
    held.release();
    expect((await waiting).status).toBe(200);
  });

  it('[13] answers 200 for a new key in the same request, and 200 for the old one', async () => {
    const { issuer, api, provider } = await open(create);
    const old = await issuer.sign({ sub: 'old' });
    await api.get('/orders', old).expect(200);
    issuer.clearRequests();
    await issuer.rotateKeys();
    await api.get('/orders', await issuer.sign({ sub: 'new' })).expect(200, { subject: 'new' });
    await api.get('/orders', old).expect(200, { subject: 'old' });
    expect(endpoints(issuer)).toEqual(['jwks']);
    expect(provider.status().budget.available).toBe(4);
  });

  it('[13] answers 200 for a new key of another algorithm without overlap', async () => {
    const { issuer, api } = await open(create);
    for (const alg of ['RS256', 'PS256', 'EdDSA', 'ES384']) {
      await issuer.rotateKeys({ keepOld: false, alg });
      await api.get('/orders', await issuer.sign()).expect(200);
    }
  });

  it('[16] answers 401 for a withdrawn key from the next refresh on, for cached and new tokens', async () => {
    const { issuer, api, clock } = await open(create);
    const tokens = [await issuer.sign({}, { expiresIn: '1h' }), await issuer.sign({}, { expiresIn: '1h' })];
    await api.get('/orders', tokens[0]).expect(200);
    await issuer.rotateKeys({ keepOld: false });
    await api.get('/orders', tokens[0]).expect(200);
    issuer.clearRequests();
    await clock.advance(11 * MINUTE);
    // Where the clock has outrun a real exchange, another one follows.
    const passing = setInterval(() => void clock.advance(1000), 50);
    await until(() => issuer.requests.length >= 4).finally(() => clearInterval(passing));
    await api.get('/orders', await issuer.sign()).expect(200);
    for (const token of tokens) {
      const { body, headers } = await api.get('/orders', token).expect(401);
      expect(body).toMatchObject(invalid);
      expect(headers['www-authenticate']).toContain('error="invalid_token"');
    }
  });

  it('[17] answers 200 for new material under an old kid', async () => {
    const { issuer, api } = await open(create);
    const old = await issuer.sign();
    await api.get('/orders', old).expect(200);
    const { kid } = await issuer.signingKey();
    await issuer.replaceKeyMaterial(kid);
    await api.get('/orders', await issuer.sign({ jti: 'new' })).expect(200);
    const { body } = await api.get('/orders', old).expect(401);
    expect(body).toMatchObject(invalid);
  });

  it('[19] answers 200 when the key set has moved together with a rollover', async () => {
    const { issuer, api } = await open(create);
    issuer.moveJwks();
    await issuer.rotateKeys();
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('[20] answers 503 for a new key during an outage, and 200 right after', async () => {
    const { issuer, api, clock } = await open(create);
    const old = await issuer.sign();
    await issuer.rotateKeys();
    issuer.fail({ mode: { status: 500 } });
    const refused = await api.get('/orders', await issuer.sign());
    expect(refused.body).toMatchObject(unavailable);
    await api.get('/orders', old).expect(200);
    issuer.recover();
    await clock.advance(1000);
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('[22] answers 200 at once for a known key in a flood, and for a new one after one refreshInterval', async () => {
    const { issuer, api, clock, provider } = await open(create, {
      metadata: { timeout: '30s', refreshWait: '60s' },
    });
    const old = await issuer.sign();
    for (let i = 0; provider.status().budget.available > 0; i++) {
      const { body } = await api.get('/orders', await issuer.sign({}, { kid: `unknown-${i}` })).expect(401);
      expect(body).toMatchObject(invalid);
    }
    const tokens = await Promise.all(
      Array.from({ length: 30 }, (_, i) => issuer.sign({}, { kid: `flood-${i}` })),
    );
    const waiting = tokens.map((token) => send(api, token));
    await until(() => provider.status().waiting >= 30);
    await api.get('/orders', old).expect(200);
    await issuer.rotateKeys();
    const newcomer = send(api, await issuer.sign());
    await until(() => provider.status().waiting >= 31);
    await clock.advance(5000);
    expect((await newcomer).status).toBe(200);
    for (const answer of await Promise.all(waiting)) expect(answer.body).toMatchObject(invalid);
  });

  it('[22b] answers 503 at once when too many requests wait', async () => {
    const { issuer, api, provider } = await open(create, {
      metadata: { timeout: '30s', refreshWait: '60s', maxWaiting: 1 },
    });
    const old = await issuer.sign();
    const held = issuer.hold('jwks');
    const waiting = send(api, await issuer.sign({}, { kid: 'unknown-1' }));
    await held.arrived;
    expect(provider.status().waiting).toBe(1);
    const refused = await api.get('/orders', await issuer.sign({}, { kid: 'unknown-2' })).expect(503);
    expect(refused.body).toMatchObject(unavailable);
    expect(refused.headers['retry-after']).toBe('1');
    await api.get('/orders', old).expect(200);
    held.release();
    expect((await waiting).body).toMatchObject(invalid);
  });

  it('[24] answers with the fault of the token when it is refused before any look-up, and calls no issuer', async () => {
    const { issuer, api } = await open(create);
    const kid = 'unknown';
    const cases = [
      ['AUTH_TOKEN_ISSUER_UNKNOWN', await issuer.sign({ iss: 'https://evil.test' }, { kid })],
      ['AUTH_TOKEN_AUDIENCE_MISMATCH', await issuer.sign({ aud: 'other' }, { kid })],
      ['AUTH_TOKEN_EXPIRED', await issuer.sign({}, { kid, expiresIn: '-1h' })],
      ['AUTH_TOKEN_TYPE_REFUSED', await issuer.sign({}, { kid, typ: 'logout+jwt' })],
      [
        'AUTH_TOKEN_ALGORITHM_REFUSED',
        await issuer.sign({}, { kid, alg: 'HS256', key: new TextEncoder().encode('s'.repeat(32)) }),
      ],
      ['AUTH_TOKEN_MALFORMED', 'junk'],
    ] as const;
    issuer.clearRequests();
    for (const [errorCode, token] of cases) {
      const { body, headers } = await api.get('/orders', token).expect(401);
      expect(body).toMatchObject({ statusCode: 401, errorCode });
      expect(headers['www-authenticate']).toContain('error="invalid_token"');
    }
    expect(issuer.requests).toEqual([]);
  });

  it('[25] answers AUTH_TOKEN_EXPIRED for an expired token of an unknown key', async () => {
    const { issuer, api } = await open(create);
    const token = await issuer.sign({}, { kid: 'unknown', expiresIn: '-1h' });
    expect((await api.get('/orders', token).expect(401)).body.errorCode).toBe('AUTH_TOKEN_EXPIRED');
  });

  it('[26] answers 401 when a token of one of two issuers names the other, although both use one kid', async () => {
    const issuers = [await startIssuer({ name: 'one' }), await startIssuer({ name: 'other' })] as const;
    for (const issuer of issuers) issuer.useKey((await issuer.publishKey({ kid: 'same' })).kid);
    const api = await startApi(create, { issuers: issuers.map((issuer) => issuer.options()) });
    const [one, other] = issuers;
    for (const issuer of issuers) {
      const { body } = await api.get('/orders/token', await issuer.sign()).expect(200);
      expect(body.issuer).toBe(issuer === one ? 'one' : 'other');
      const forged = await (issuer === one ? other : one).sign({ iss: issuer.url });
      expect((await api.get('/orders', forged).expect(401)).body).toMatchObject(invalid);
    }
  });

  const modes: readonly TestIssuerFault[] = [
    'refuse',
    'hang',
    'html',
    'empty',
    'truncated',
    'cut-off',
    'wrong-issuer',
  ];
  const statuses: readonly TestIssuerFault[] = [
    { status: 404 },
    { status: 500 },
    { status: 503, retryAfter: 30 },
  ];

  it.each([...modes, ...statuses])('[28] answers 200 for a known key in an outage (%j)', async (mode) => {
    const { issuer, api, clock } = await open(create, { metadata: { timeout: '30s' } });
    issuer.clearRequests();
    issuer.fail({ mode });
    await clock.advance(11 * MINUTE);
    await until(() => issuer.requests.length >= 2);
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('[28] answers 503 when the last known good keys have expired, and 200 after the outage', async () => {
    const { issuer, api, clock, provider } = await open(create, {
      metadata: { lastKnownGoodLifetime: '1h' },
    });
    issuer.fail({ mode: { status: 500 } });
    await clock.advance(HOUR);
    await api.get('/orders', await issuer.sign()).expect(200);
    await clock.advance(HOUR);
    const answer = api.get('/orders', await issuer.sign()).expect(503);
    // A look of the schedule may have failed at this very moment: then the request waits for the backoff.
    const passing = setInterval(() => void clock.advance(1000), 10);
    const refused = await answer;
    clearInterval(passing);
    expect(refused.body).toMatchObject(unavailable);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    issuer.recover();
    await clock.advance(5 * MINUTE);
    await until(() => provider.status().state === 'fresh');
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('[29] answers 503 with Retry-After and no challenge for an unknown key in an outage', async () => {
    const { issuer, api } = await open(create);
    issuer.fail({ mode: { status: 503, retryAfter: 77 } });
    const token = await issuer.sign({}, { kid: 'unknown' });
    for (const _ of ['asked', 'known']) {
      const { body, headers } = await api.get('/orders', token).expect(503);
      expect(body).toMatchObject(unavailable);
      expect(headers['retry-after']).toBe('77');
      expect(headers['www-authenticate']).toBeUndefined();
    }
  });

  it('[30] answers 503 when it started while the issuer was down, and 200 when that is back', async () => {
    const clock = new ManualClock();
    const issuer = await startIssuer({ clock });
    issuer.fail({ mode: 'refuse' });
    const api = await startApi(create, issuer.options({ metadata: { refreshWait: 0 } }), { clock });
    const answer = send(api, await issuer.sign());
    await until(() => api.app.get(MetadataProvider).status().lastFailure !== undefined);
    expect((await answer).body).toMatchObject(unavailable);
    issuer.recover();
    await clock.advance(2000);
    await until(() => api.app.get(MetadataProvider).status().state === 'fresh');
    await api.get('/orders', await issuer.sign()).expect(200);
  });

  it('[30] rejects the boot with address and cause when startup is require and the issuer is down', async () => {
    const issuer = await startIssuer();
    const { metadataAddress } = issuer;
    await issuer.close();
    const booted = startApi(create, issuer.options({ metadata: { startup: 'require' } }));
    const error: unknown = await booted.catch((reason: unknown) => reason);
    expect(String(error)).toContain(metadataAddress);
    expect(String(error)).toContain('ECONNREFUSED');
  });

  it.each(['gzip-bomb', 'endless', 'redirect'] as const)(
    '[35] answers 200 when the issuer sends a %s, and calls no target of it',
    async (mode) => {
      const { issuer, api, provider } = await open(create, { metadata: { timeout: '30s' } });
      const memory = process.memoryUsage().arrayBuffers;
      issuer.fail({ mode });
      await provider.refreshNow().catch(() => undefined);
      expect(provider.status().lastFailure?.fault).toBe(mode === 'redirect' ? 'redirect' : 'too-large');
      // 64 MiB would show.
      expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(32 * 2 ** 20);
      expect(endpoints(issuer)).not.toContain('canary');
      await api.get('/orders', await issuer.sign()).expect(200);
    },
  );

  it('[43] answers 401 for a token of another application in the process, and 200 once that has closed', async () => {
    const [one, other] = [await open(create), await open(create)];
    for (const [mine, foreign] of [
      [one, other],
      [other, one],
    ] as const) {
      const token = await mine.issuer.sign({ sub: 'alice' });
      await mine.api.get('/orders', token).expect(200, { subject: 'alice' });
      const { body } = await foreign.api.get('/orders', token).expect(401);
      expect(body.errorCode).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    }
    await one.api.app.close();
    await other.api.get('/orders', await other.issuer.sign()).expect(200);
  });

  it.each(['rpc', 'ws', 'graphql', 'anything'])(
    '[44] rejects a context of type %s, with or without a token, unless the handler is open',
    async (type) => {
      const { issuer, api } = await open(create);
      const headers = { authorization: `Bearer ${await issuer.sign()}` };
      const handlers = Object.getOwnPropertyDescriptors(Base.prototype);
      for (const [name, { value }] of Object.entries(handlers)) {
        const context = new ExecutionContextHost([{ headers }, {}, {}], Stacked, value);
        context.setType(type);
        const verdict = api.app.get(AuthorizedGuard).canActivate(context);
        const outcome = await verdict.then(
          () => 'free',
          (error: unknown) => error instanceof AuthConfigurationError && 'refused',
        );
        expect(outcome).toBe(name === 'free' ? 'free' : 'refused');
      }
    },
  );

  it('[45] answers 403 unless the token meets every @Authorized on method, class and base class, and authenticates it once', async () => {
    let authenticated = 0;
    const validate = (claims: Claims): Claims => {
      authenticated++;
      return claims;
    };
    const { issuer, get } = await stacked(create, { validate, secureByDefault: true });
    const enough = { scope: 'base class method-1 method-2', roles: ['a', 'x'] };
    await get('/stacked', await issuer.sign(enough)).expect(200);
    expect(authenticated).toBe(1);
    for (const missing of enough.scope.split(' ')) {
      const scope = enough.scope.replace(missing, '').trim();
      const { body, headers } = await get('/stacked', await issuer.sign({ ...enough, scope })).expect(403);
      expect(body.errorCode).toBe('AUTH_SCOPE_MISSING');
      expect(headers['www-authenticate']).toContain('insufficient_scope');
    }
    for (const roles of [['a'], ['x'], []]) {
      const { body } = await get('/stacked', await issuer.sign({ ...enough, roles })).expect(403);
      expect(body.errorCode).toBe('AUTH_ROLE_MISSING');
    }
    await get('/stacked').expect(401);
    await get('/stacked/free').expect(200);
  });

  it('[45] rejects the boot when a factory returns secureByDefault', async () => {
    const issuer = await startIssuer();
    const options: ResilientAuthOptions = Object.assign(issuer.options(), { secureByDefault: true });
    const builder = Test.createTestingModule({
      imports: [AuthModule.forRootAsync({ useFactory: () => options })],
      controllers: [Stacked],
    });
    const error: unknown = await create(builder).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AuthConfigurationError);
    expect(String(error)).toContain('secureByDefault');
    expect(String(error)).toContain('beside useFactory');
  });

  const malformed = { status: 401, errorCode: 'AUTH_TOKEN_MALFORMED' };
  const missing = { status: 401, errorCode: 'AUTH_TOKEN_MISSING' };
  const severalWords = { status: 400, errorCode: 'AUTH_REQUEST_INVALID' };
  const shapes: readonly [string, string, object][] = [
    ['spaces', `Bearer${' '.repeat(15_990)}x`, malformed],
    ['tabs', `Bearer ${'\t'.repeat(15_990)}x`, malformed],
    ['dots', `Bearer ${'.'.repeat(15_990)}`, malformed],
    ['letters', `Bearer ${'a'.repeat(15_990)}`, malformed],
    ['a scheme without end', 'B'.repeat(16_000), missing],
    ['Bearer over and over', 'Bearer '.repeat(2285), severalWords],
    ['words', `Bearer ${'a '.repeat(7995)}b`, severalWords],
    ['commas', `Bearer ${','.repeat(15_990)}`, malformed],
    ['equals signs', `Bearer ${'='.repeat(15_990)}`, malformed],
    [
      'a header of brackets',
      `Bearer ${Buffer.from('['.repeat(11_000)).toString('base64url')}.e30.AA`,
      malformed,
    ],
    [
      'a header of quotes',
      `Bearer ${Buffer.from(`{"a":"${'\\"'.repeat(5000)}`).toString('base64url')}.e30.AA`,
      malformed,
    ],
    [
      'a header of colons',
      `Bearer ${Buffer.from(`{${'"a":1,'.repeat(1500)}"b":1}`).toString('base64url')}.e30.AA`,
      malformed,
    ],
  ];

  it.each(shapes)(
    '[46] rejects a header of sixteen thousand characters of %s',
    async (_, header, refused) => {
      const { issuer, api } = await open(create);
      issuer.clearRequests();
      const answer = await request(api.app.getHttpServer()).get('/orders').set('Authorization', header);
      expect({ status: answer.status, errorCode: answer.body.errorCode }).toEqual(refused);
      expect(issuer.requests).toEqual([]);
      await api.get('/orders', await issuer.sign()).expect(200);
    },
  );

  it('[46] gives each request a user that other requests have not changed', async () => {
    const { issuer, get } = await stacked(create);
    const token = await issuer.sign({ sub: 'alice', groups: ['staff'] });
    for (let i = 0; i < 3; i++) {
      await get('/stacked/vandal/x', token).expect(200, { changed: false, sub: 'alice', groups: ['staff'] });
    }
  });
});

@Injectable()
class AnotherGuard extends AuthorizedGuard {}

@Authorized({ scopes: ['base'] })
abstract class Base {
  @AllowAnonymous()
  @Get('free')
  free(): string {
    return 'free';
  }
}

@Authorized({ scopes: ['class'] })
@Authorized({ roles: ['a', 'b'] })
@Controller('stacked')
class Stacked extends Base {
  @Authorized({ scopes: ['method-1'] })
  @Authorized({ scopes: ['method-2'], roles: ['x'] })
  @Get()
  all(): string {
    return 'all';
  }
}

@Controller('stacked/vandal')
class Vandal {
  @Authorized()
  @Get(':id')
  spoil(@CurrentUser() user: Claims, @Param('id') id: string): object {
    const { groups } = user;
    const changed = [
      Reflect.set(user, 'sub', 'mallory'),
      Reflect.set(user, id, true),
      Array.isArray(groups) && Reflect.set(groups, 0, 'root'),
    ];
    return { changed: changed.some(Boolean), sub: user.sub, groups };
  }
}

/** An API and its issuer on a clock of their own; the API listens, so that many requests may come at once. */
async function open(
  create: CreateApplication,
  options: Parameters<TestIssuer['options']>[0] = {},
): Promise<{ issuer: TestIssuer; api: Api; clock: ManualClock; provider: MetadataProvider }> {
  const clock = new ManualClock();
  const issuer = await startIssuer({ clock });
  const api = await startApi(create, issuer.options(options), { clock });
  await api.app.listen(0, '127.0.0.1');
  return { issuer, api, clock, provider: api.app.get(MetadataProvider) };
}

async function stacked(
  create: CreateApplication,
  { secureByDefault, ...options }: Parameters<TestIssuer['options']>[0] & { secureByDefault?: boolean } = {},
): Promise<{ issuer: TestIssuer; get: (path: string, token?: string) => request.Test }> {
  const { issuer, api } = await issuerAndApi(
    create,
    { ...options, secureByDefault },
    {
      controllers: [Stacked, Vandal],
      // One more guard that asks: the token is authenticated once all the same.
      providers: [{ provide: APP_GUARD, useClass: AnotherGuard }],
    },
  );
  return { issuer, get: (path, token) => api.get(path, token) };
}

/** Sends now; supertest alone waits to be awaited. */
function send(api: Api, token: string): Promise<request.Response> {
  return api.get('/orders', token).then((response) => response);
}

function endpoints(issuer: TestIssuer): readonly string[] {
  return issuer.requests.map(({ endpoint }) => endpoint);
}
