import { TokenError, type AuthErrorCode, type IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { assertClaims } from '../../../lib/token/parse/claims.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

const NOW = 1_800_000_000;
const claimsOf = (changes: object) => ({
  iss: 'https://issuer.test',
  aud: 'api',
  exp: NOW + 300,
  ...changes,
});

/** `ok`, or the code of the error. */
function outcomeOf(
  changes: object,
  options: Partial<IssuerOptions> = {},
  tenantId?: string,
  now = NOW,
): string {
  try {
    assertClaims({ alg: 'RS256' }, claimsOf(changes), trustedIssuer(options), tenantId, now * 1000);
    return 'ok';
  } catch (error) {
    if (error instanceof TokenError) return error.code;
    throw error;
  }
}

type Row = [claims: object, outcome: 'ok' | AuthErrorCode, options?: Partial<IssuerOptions>];
const INVALID = 'AUTH_TOKEN_CLAIM_INVALID';
const EXPIRED = 'AUTH_TOKEN_EXPIRED';
const EARLY = 'AUTH_TOKEN_NOT_YET_VALID';
const AUDIENCE = 'AUTH_TOKEN_AUDIENCE_MISMATCH';
const TYPE = 'AUTH_TOKEN_TYPE_REFUSED';
const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222';

describe('assertClaims', () => {
  it.each<Row>([
    [{}, 'ok'],
    [{ exp: NOW - 29 }, 'ok'],
    [{ exp: NOW - 30 }, EXPIRED],
    [{ exp: NOW, nbf: NOW }, EXPIRED, { clockTolerance: '0s' }],
    [{ exp: NOW + 0.5 }, 'ok', { clockTolerance: '0s' }],
    [{ nbf: NOW + 30 }, 'ok'],
    [{ nbf: NOW + 31 }, EARLY],
    [{ iat: NOW + 31 }, 'ok'],
    [{ iat: NOW + 30 }, 'ok', { maxTokenAge: '10m' }],
    [{ iat: NOW + 31 }, EARLY, { maxTokenAge: '10m' }],
    [{ iat: null, nbf: null }, 'ok'],
    [{ iat: null }, INVALID, { maxTokenAge: '10m' }],
    [{ iat: NOW - 3600 }, 'ok'],
    [{ iat: NOW - 629 }, 'ok', { maxTokenAge: '10m' }],
    [{ iat: NOW - 630 }, EXPIRED, { maxTokenAge: '10m' }],
    [{}, INVALID, { maxTokenAge: '10m' }],
  ])('compares the dates when the claims are %j: %s', (claims, outcome, options) => {
    expect(outcomeOf(claims, options)).toBe(outcome);
  });

  it.each(['exp', 'nbf', 'iat'])('throws when %s is no finite number from the epoch on', (name) => {
    for (const value of ['1', -1, Number.NaN, Number.POSITIVE_INFINITY, [NOW], true, {}])
      expect(outcomeOf({ [name]: value })).toBe(INVALID);
  });

  it('throws when exp is inherited', () => {
    const inherited = Object.create({ exp: NOW + 300 });
    Object.assign(inherited, { iss: 'https://issuer.test', aud: 'api' });
    expect(() => assertClaims({ alg: 'RS256' }, inherited, trustedIssuer(), undefined, NOW * 1000)).toThrow(
      'no exp',
    );
  });

  it.each<Row>([
    [{ aud: ['other', 'api'] }, 'ok'],
    [{ aud: 'b' }, 'ok', { audience: ['a', 'b'] }],
    [{ aud: undefined }, 'ok', { audience: null }],
    [{ aud: undefined }, AUDIENCE],
    [{ aud: [] }, AUDIENCE],
    [{ aud: 'API' }, AUDIENCE],
    [{ aud: 'api ' }, AUDIENCE],
    [{ aud: ['api', 7] }, AUDIENCE],
    [{ aud: { 0: 'api' } }, AUDIENCE],
    [{ aud: [['api']] }, AUDIENCE],
  ])('compares the audience when the claims are %j: %s', (claims, outcome, options) => {
    expect(outcomeOf(claims, options)).toBe(outcome);
  });

  it.each<Row>([
    [{ at_hash: 'h' }, TYPE],
    [{ c_hash: 'h' }, TYPE],
    [{ s_hash: 'h' }, TYPE],
    [{ events: {} }, TYPE],
    [{ events: ['created'] }, 'ok'],
    [{ at_hash: null, cnf: null, token_use: null }, 'ok'],
    [{ token_introspection: {} }, TYPE],
    [{ token_use: 'id' }, TYPE],
    [{ token_use: 'access' }, 'ok'],
    [{ typ: 'ID' }, TYPE],
    [{ typ: 'Refresh' }, TYPE],
    [{ typ: 'Offline' }, TYPE],
    [{ typ: 'Bearer' }, 'ok'],
    [{ nonce: 'n' }, TYPE],
    [{ nonce: 'n', client_id: 'c' }, 'ok'],
    [{ azp: 'api' }, TYPE],
    [{ azp: 'shop' }, 'ok'],
    [{ azp: 'api', scope: 'a' }, 'ok'],
    [{ sub: 7 }, INVALID],
    [{ jti: {} }, INVALID],
    // Authenticator decides about bound tokens, where a check may prove them.
    [{ cnf: { jkt: 'thumbprint' } }, 'ok'],
  ])('checks the kind of token when the claims have %j: %s', (claims, outcome) => {
    expect(outcomeOf(claims)).toBe(outcome);
  });

  it.each<[claims: object, outcome: 'ok' | AuthErrorCode]>([
    [{}, 'ok'],
    [{ at_hash: 'h', nonce: 'n' }, 'ok'],
    [{ azp: 'api' }, 'ok'],
    [{ aud: ['api'] }, 'ok'],
    [{ aud: ['api', 'other'], azp: 'api' }, 'ok'],
    [{ azp: 'other' }, AUDIENCE],
    [{ azp: ['api'] }, AUDIENCE],
    [{ aud: ['api', 'other'] }, AUDIENCE],
    [{ aud: ['api', 'other'], azp: 'other' }, AUDIENCE],
    [{ sub: undefined }, INVALID],
    [{ sub: 7 }, INVALID],
    [{ iat: null }, INVALID],
    // An access token of the same issuer is none.
    [{ client_id: 'other', azp: 'other', iat: null }, 'ok'],
  ])(
    '[E1-6] checks sub, iat and azp of an ID token when acceptIdTokens is set and the claims have %j: %s',
    (claims, outcome) => {
      const idToken = { sub: 's', iat: NOW, ...claims };
      expect(outcomeOf(idToken, { acceptIdTokens: true })).toBe(outcome);
    },
  );

  it('throws when a required claim is missing, null or inherited', () => {
    const options = { requiredClaims: ['tenant', 'constructor'] };
    expect(outcomeOf({ tenant: 'a', constructor: 'b' }, options)).toBe('ok');
    expect(outcomeOf({ tenant: null, constructor: 'b' }, options)).toBe(INVALID);
    expect(outcomeOf({ tenant: 'a' }, options)).toBe(INVALID);
  });

  it('throws when a claim of RFC 9068 is missing and at+jwt is the only type', () => {
    const strict = { tokenTypes: ['at+jwt'] };
    const profile = { sub: 's', client_id: 'c', jti: 'j', iat: NOW };
    expect(outcomeOf(profile, strict)).toBe('ok');
    for (const name of Object.keys(profile))
      expect(outcomeOf({ ...profile, [name]: undefined }, strict)).toBe(INVALID);
    for (const name of ['sub', 'client_id', 'jti'])
      expect(outcomeOf({ ...profile, [name]: '' }, strict)).toBe(INVALID);
    expect(outcomeOf({ ...profile, client_id: 7 }, strict)).toBe(INVALID);
  });

  it('throws when the tenant is not accepted', () => {
    const options = { tokenIssuers: ['https://login.test/{tenantid}'], tenants: [TENANT] };
    expect(outcomeOf({}, options, TENANT)).toBe('ok');
    expect(outcomeOf({}, options, TENANT.toUpperCase())).toBe('ok');
    expect(outcomeOf({}, options, TENANT.replace('1', '2'))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });
});
