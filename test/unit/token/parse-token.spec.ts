import { describe, expect, it } from 'vitest';
import type { AuthErrorCode } from '../../../lib/errors/auth.error.js';
import { TokenError } from '../../../lib/errors/token.errors.js';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import { parseToken } from '../../../lib/token/parse/parse-token.js';
import { IssuerDirectory } from '../../../lib/token/trusted-issuer.js';

const NOW = 1_800_000_000_000;
const TENANT = '11111111-aaaa-4bbb-8ccc-222222222222';
const issuer = { issuer: 'https://issuer.test', audience: ['api', 'https://api.test'] };
const claims = { iss: issuer.issuer, aud: 'api', exp: NOW / 1000 + 60, sub: 'alice' };
const header = { alg: 'RS256', kid: 'k', typ: 'JWT' };
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const token = (payload: unknown = claims, head: unknown = header) => `${part(head)}.${part(payload)}.AAAA`;

function parse(text: string, options: object = {}) {
  const { issuers } = resolveAuthOptions({ ...issuer, ...options }, {});
  return parseToken(text, new IssuerDirectory(issuers), NOW, 16_384);
}

/** Code of the refusal, and what its cause says to the operator. */
function refusalOf(text: string, options?: object): readonly [AuthErrorCode, string] {
  try {
    parse(text, options);
  } catch (error) {
    if (error instanceof TokenError)
      return [error.code, error.cause instanceof Error ? error.cause.message : ''];
  }
  throw new Error('The token should have been refused');
}

describe('the cause of a refusal', () => {
  const [first, second, third] = token().split('.');
  it.each<[what: string, text: string, code: AuthErrorCode, detail: string | RegExp]>([
    ['it is opaque', 'opaque-token', 'AUTH_TOKEN_MALFORMED', /no dots: an opaque token/],
    ['it is encrypted', 'a.b.c.d.e', 'AUTH_TOKEN_MALFORMED', /five parts: an encrypted token/],
    ['it is nothing but dots', '.'.repeat(16_000), 'AUTH_TOKEN_MALFORMED', 'It has six parts or more'],
    ['it has two parts', `${first}.${second}`, 'AUTH_TOKEN_MALFORMED', 'It has 2 parts'],
    ['it is padded', `${first}=.${second}.${third}`, 'AUTH_TOKEN_MALFORMED', /padded/],
    ['it is plain base64', `${first}.${second}.+AAA`, 'AUTH_TOKEN_MALFORMED', /plain base64/],
    ['a part is empty', `${first}..${third}`, 'AUTH_TOKEN_MALFORMED', /A part is empty/],
    [
      'it is too long',
      'x'.repeat(16_385),
      'AUTH_TOKEN_MALFORMED',
      /16385 characters; option tokenMaxLength: 16384/,
    ],
    [
      'a member is there twice',
      token('{"iss":"a","iss":"b"}'),
      'AUTH_TOKEN_MALFORMED',
      'The payload names a member twice',
    ],
    [
      'its header is no object',
      token(claims, '[]'),
      'AUTH_TOKEN_MALFORMED',
      'The header is not a JSON object',
    ],
    [
      'it demands an extension',
      token(claims, { ...header, crit: ['b64'] }),
      'AUTH_TOKEN_MALFORMED',
      'It has crit',
    ],
    [
      'its alg is not allowed',
      token(claims, { alg: 'HS256' }),
      'AUTH_TOKEN_ALGORITHM_REFUSED',
      /^alg of the token: 'HS256'; option algorithms: 'RS256',/,
    ],
    [
      'its typ is not allowed',
      token(claims, { ...header, typ: 'dpop+jwt' }),
      'AUTH_TOKEN_TYPE_REFUSED',
      `typ of the token: 'dpop+jwt'; option tokenTypes: 'at+jwt', 'jwt', nothing`,
    ],
    [
      'its iss is unknown',
      token({ ...claims, iss: 'https://issuer.test/' }),
      'AUTH_TOKEN_ISSUER_UNKNOWN',
      `iss of the token: 'https://issuer.test/'; accepted (options issuer and tokenIssuers): 'https://issuer.test'`,
    ],
    [
      'its aud is another',
      token({ ...claims, aud: ['x\n', 'y'] }),
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
      String.raw`aud of the token: 'x\u000a', 'y'; option audience: 'api', 'https://api.test'`,
    ],
    [
      'it has no aud',
      token({ ...claims, aud: null }),
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
      /audience: null, and a check of the client/,
    ],
    [
      'it is for Microsoft Graph',
      token({ ...claims, aud: '00000003-0000-0000-c000-000000000000' }),
      'AUTH_TOKEN_AUDIENCE_MISMATCH',
      /meant for Microsoft Graph/,
    ],
    [
      'it has expired',
      token({ ...claims, exp: NOW / 1000 - 72 }),
      'AUTH_TOKEN_EXPIRED',
      'It expired 42 s ago, clockTolerance of 30 s included',
    ],
    [
      'it is not valid yet',
      token({ ...claims, nbf: NOW / 1000 + 72 }),
      'AUTH_TOKEN_NOT_YET_VALID',
      'Its nbf is reached in 42 s, clockTolerance of 30 s included',
    ],
    [
      'it is an ID token',
      token({ ...claims, nonce: 'n' }),
      'AUTH_TOKEN_TYPE_REFUSED',
      /acceptIdTokens: true/,
    ],
  ])('names what an operator needs when %s', (_, text, code, detail) => {
    const [given, cause] = refusalOf(text);
    expect(given).toBe(code);
    expect(cause).toMatch(detail);
  });

  it('names tenant and option when the tenant is not allowed', () => {
    const options = {
      tokenIssuers: ['https://login.test/{tenantid}/v2.0'],
      tenants: ['99999999-aaaa-4bbb-8ccc-222222222222'],
    };
    const foreign = token({ ...claims, iss: `https://login.test/${TENANT}/v2.0`, tid: TENANT });
    expect(refusalOf(foreign, options)).toEqual([
      'AUTH_TOKEN_ISSUER_UNKNOWN',
      `tid of the token: '${TENANT}'; the option tenants does not allow it`,
    ]);
    const mismatched = token({ ...claims, iss: `https://login.test/${TENANT}/v2.0` });
    expect(refusalOf(mismatched, options)[1]).toMatch(/with tid nothing filled in$/);
  });

  it('returns one bounded line for any content of the token', () => {
    const [, cause] = refusalOf(token({ ...claims, aud: Array.from({ length: 900 }, () => '\u202e\n') }));
    expect(cause).toMatch(/^[\x20-\x7e…]{1,400}$/);
  });
});

describe('an issuer that is a template', () => {
  it('accepts a token when every placeholder, in any spelling, is its tenant, and rejects it when one is not', () => {
    const options = { tokenIssuers: ['https://{tenantId}.login.test/{TENANTID}/'], tenants: null };
    const iss = `https://${TENANT}.login.test/${TENANT}/`;
    expect(parse(token({ ...claims, iss, tid: TENANT }), options).tenantId).toBe(TENANT);
    const other = TENANT.replace('1', '2');
    const mixed = token({ ...claims, iss: `https://${TENANT}.login.test/${other}/`, tid: TENANT });
    expect(refusalOf(mixed, options)[0]).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });
});

describe('parseToken', () => {
  it('returns claims that are not frozen, as the signature is not verified yet', () => {
    expect(Object.isFrozen(parse(token()).claims)).toBe(false);
  });

  it('returns one frozen header for tokens that have the same, and another for any other', () => {
    const { header: first } = parse(token());
    expect(parse(token({ ...claims, sub: 'bob' })).header).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    const { header: other } = parse(token(claims, { ...header, kid: 'l' }));
    expect([first.kid, other.kid]).toEqual(['k', 'l']);
  });

  it('checks a header that it has seen against the options of each call', () => {
    parse(token());
    expect(refusalOf(token(), { algorithms: ['ES256'] })[0]).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('keeps no header of more than 512 characters', () => {
    const long = { ...header, x5c: ['A'.repeat(512)] };
    const { header: first } = parse(token(claims, long));
    expect(parse(token(claims, long)).header).not.toBe(first);
    expect(parse(token(claims, long)).header).toEqual(long);
  });
});
