import * as fc from 'fast-check';
import { Controller, Get } from '@nestjs/common';
import { Authorized } from 'nestjs-resilient-auth';
import type { Response } from 'supertest';
import { describe, expect, it } from 'vitest';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench, useBench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';

/** RFC 6750 §3: what may stand in a quoted parameter. */
const CHALLENGE =
  /^Bearer( [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*)?$/;

function expectChallenge({ headers }: Response): void {
  const challenge = headers['www-authenticate'] ?? 'none';
  expect(challenge).toMatch(CHALLENGE);
  const names = [...challenge.matchAll(/([a-z_]+)=/g)].map(([, name]) => name);
  expect(new Set(names).size).toBe(names.length);
}

/** docs/security-checklist.md I. */
describe.each(platforms)('a refusal, on $platform', ({ create }) => {
  const bench = useBench({
    create,
    options: {
      realm: 'orders api',
      validate: ({ sub, ...claims }) => sub !== 'banned' && { sub, ...claims },
    },
  });

  it('[I1] [I2] [P0-2] answers 401 with a challenge, and with an error code only when a token came', async () => {
    const { api } = bench();
    const none = await api.get('/orders').expect(401);
    expect(none.headers['www-authenticate']).toBe('Bearer realm="orders api"');
    const tokens = [
      'junk',
      bench().token({}, { alg: 'HS256' }),
      bench().token({}, { typ: 'logout+jwt' }),
      bench().token({ iss: 'x' }),
      bench().token({ aud: 'x' }),
      bench().token({ exp: 1 }),
      bench().token({ nbf: 4_000_000_000 }),
      bench().token({ sub: 7 }),
      bench().tokenBy(makeSigner('ES256', { kid: 'unknown' })),
      bench().token({ cnf: {} }),
      bench().token({ sub: 'banned' }),
    ];
    const codes = new Set<string>();
    for (const token of tokens) {
      const response = await api.get('/orders', token).expect(401);
      expectChallenge(response);
      expect(response.headers['www-authenticate']).toMatch(
        /^Bearer realm="orders api", error="invalid_token", error_description="/,
      );
      expect(Object.keys(response.body).toSorted()).toEqual(['error', 'errorCode', 'message', 'statusCode']);
      codes.add(response.body.errorCode);
    }
    expect(codes.size).toBe(tokens.length);
  });

  it('[I2] answers 403 with the scopes needed, and 400 for a malformed request', async () => {
    const lacking = await bench().api.post('/orders', bench().token()).expect(403);
    expectChallenge(lacking);
    expect(lacking.headers['www-authenticate']).toContain(
      'error="insufficient_scope", scope="orders:read orders:write"',
    );
    const malformed = await bench().api.get('/orders').set('Authorization', 'Bearer a b').expect(400);
    expectChallenge(malformed);
    expect(malformed.headers['www-authenticate']).toContain('error="invalid_request"');
  });

  it('[I3] answers 403 without a challenge when a good token does not meet a requirement', async () => {
    for (const path of ['/orders/audit', '/orders/alice', '/orders/of/carol', '/orders/tenant']) {
      const { headers } = await bench()
        .api.get(path, bench().token({ sub: 'bob', tenant: 'x' }))
        .expect(403);
      expect(headers['www-authenticate']).toBeUndefined();
    }
  });

  it('[I4] answers 503 with Retry-After and no challenge when the token could not be checked', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const known = await issuer.sign();
    await api.get('/orders', known).expect(200);
    issuer.fail({ mode: 'refuse' });
    await issuer.rotateKeys();
    const { headers, body } = await api.get('/orders', await issuer.sign()).expect(503);
    expect(headers['retry-after']).toMatch(/^[1-9]\d*$/);
    expect(headers['www-authenticate']).toBeUndefined();
    expect(headers['cache-control']).toBe('no-store');
    expect(body.errorCode).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(JSON.stringify(body)).not.toMatch(/127\.0\.0\.1|ECONN|jwks/i);
    await api.get('/orders', known).expect(200);
  });

  it('[I4] answers 503 for a valid token at a cold start, and 401 for an expired one or none', async () => {
    const issuer = await startIssuer();
    issuer.fail({ mode: { status: 500 } });
    const api = await startApi(create, issuer.options({ metadata: { startup: 'lazy' } }));
    await api.get('/orders', await issuer.sign()).expect(503);
    await api.get('/orders', await issuer.sign({}, { expiresIn: '-1h' })).expect(401);
    await api.get('/orders').expect(401);
  });

  it('[I5] [I6] answers the same for an unknown key and a wrong signature', async () => {
    const forger = makeSigner('ES256', { kid: 'unknown' });
    const unknown = await bench().refuses(bench().tokenBy(forger), 'AUTH_TOKEN_SIGNATURE_INVALID');
    const wrong = await bench().refuses(
      bench().tokenBy({ ...forger, kid: bench().signer.kid }),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
    expect(wrong.body).toEqual(unknown.body);
    const { date: _, ...headers } = unknown.headers;
    expect(wrong.headers).toMatchObject(headers);
  });

  it('[I5] [I6] [M5] keeps header parameters and claims of a token out of the answer', async () => {
    const evil = fc.tuple(
      fc.constantFrom(
        '\r\nX-Evil: 1',
        '"',
        '\\',
        '\u0000',
        '<script>',
        '${jndi}',
        '\u2028',
        'é',
        '%0d%0a',
        '',
      ),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    const mismatches = {
      alg: '401 AUTH_TOKEN_ALGORITHM_REFUSED',
      kid: '401 AUTH_TOKEN_SIGNATURE_INVALID',
      typ: '401 AUTH_TOKEN_TYPE_REFUSED',
      iss: '401 AUTH_TOKEN_ISSUER_UNKNOWN',
      aud: '401 AUTH_TOKEN_AUDIENCE_MISMATCH',
      exp: '401 AUTH_TOKEN_CLAIM_INVALID',
      nbf: '401 AUTH_TOKEN_CLAIM_INVALID',
      cnf: '401 AUTH_TOKEN_SENDER_CONSTRAINED',
      token_use: '401 AUTH_TOKEN_TYPE_REFUSED',
    };
    const ofNoMeaning = ['cty', 'sub', 'jti', 'scope', 'roles', 'tid'].map((name) => [
      name,
      '403 AUTH_ROLE_MISSING',
    ]);
    const member = fc.constantFrom(...Object.entries(mismatches), ...ofNoMeaning);
    await fc.assert(
      fc.asyncProperty(member, evil, async ([name = '', refusal], [start, rest]) => {
        const mark = `MARK-${start}${rest}-KRAM`;
        const isHeader = ['alg', 'kid', 'typ', 'cty'].includes(name);
        const token = bench().token(isHeader ? {} : { [name]: mark }, isHeader ? { [name]: mark } : {});
        const response = await bench().api.get('/orders/audit', token);
        expect(`${response.status} ${response.body.errorCode}`).toBe(refusal);
        expect(JSON.stringify([response.headers, response.text])).not.toMatch(/MARK|KRAM|X-Evil/);
        expect(response.headers['www-authenticate'] ?? 'none').toMatch(
          response.status === 401 ? CHALLENGE : /^none$/,
        );
      }),
      { numRuns: 60 },
    );
  });

  it('[I5] [I6] keeps a malformed token out of the answer', async () => {
    const text = fc.string({
      unit: fc.constantFrom(...'abcXYZ019-_.~+/=!#$%&()*:;<>?@[]^`{|}\'"\\'.split('')),
      minLength: 20,
      maxLength: 200,
    });
    await fc.assert(
      fc.asyncProperty(text, async (token) => {
        const response = await bench().api.get('/orders', token);
        expect(response.status).toBe(401);
        expectChallenge(response);
        expect(JSON.stringify(response.headers) + response.text).not.toContain(token);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a challenge', () => {
  it.each(['a"b', 'a\\b', 'a b', 'a\r\nX-Evil: 1', 'é', '\t'])(
    '[I5] throws when a scope would break it: %j',
    (scope) => {
      expect(() => Authorized({ scopes: ['good', scope] })).toThrow(/scopes/);
    },
  );

  it.each(['!#[]~', 'https://graph.microsoft.com/.default', 'orders:read', "it's"])(
    '[I5] answers 403 with a valid challenge when the scope is %j',
    async (scope) => {
      @Controller('scoped')
      class ScopedController {
        @Authorized({ scopes: [scope] })
        @Get()
        get(): string {
          return 'ok';
        }
      }
      const { get } = await issuerAndApi(platforms[0].create, {}, { controllers: [ScopedController] });
      expect((await get('/scoped', { scope })).status).toBe(200);
      expectChallenge(await get('/scoped', {}));
    },
  );

  it.each(['a"b', 'a\\b', 'a\r\nb', 'é', ''])(
    '[I5] rejects the boot when the realm would break it: %j',
    async (realm) => {
      await expect(Bench.open({ options: { realm } })).rejects.toThrow(/realm/);
    },
  );
});
