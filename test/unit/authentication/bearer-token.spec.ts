import { RequestInvalidError, TokenMissingError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import {
  asBearer,
  assertExtractable,
  authorizationAmong,
  presentedToken,
  schemeOf,
} from '../../../lib/authentication/bearer-token.js';
import { HttpCredentials } from '../../../lib/authentication/http-credentials.js';

const BEARER = new Set(['bearer']);
const requestWith = (authorization: unknown) => ({ headers: { authorization } });
const bearerToken = (request: object): string => presentedToken(new HttpCredentials(request), BEARER);

describe('presentedToken', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER   abc', 'Bearer abc  '])(
    'returns the token when the header is %j',
    (header) => {
      expect(bearerToken(requestWith(header))).toBe('abc');
    },
  );

  it.each([undefined, '', 'Basic abc', 'Bearerabc', 'Bearer\tabc', ' Bearer abc', 'DPoP abc'])(
    'throws TokenMissingError when there is no bearer token: %j',
    (header) => {
      expect(() => bearerToken(requestWith(header))).toThrow(TokenMissingError);
    },
  );

  it('throws TokenMissingError when there are no headers', () => {
    expect(() => bearerToken({})).toThrow(TokenMissingError);
  });

  it.each(['Bearer', 'Bearer ', 'Bearer    ', 'Bearer a b', 'Bearer a, Bearer b', ['Bearer abc'], 7, {}])(
    'throws RequestInvalidError when the header is %j',
    (header) => {
      expect(() => bearerToken(requestWith(header))).toThrow(RequestInvalidError);
    },
  );

  it('throws RequestInvalidError when the request has two Authorization headers', () => {
    const rawHeaders = ['authorization', 'Bearer a', 'Host', 'authorization', 'AUTHORIZATION', 'Basic b'];
    expect(() => bearerToken({ ...requestWith('Bearer a'), rawHeaders })).toThrow(RequestInvalidError);
    expect(() => bearerToken({ ...requestWith('Bearer a'), raw: { rawHeaders } })).toThrow(
      RequestInvalidError,
    );
    expect(bearerToken({ ...requestWith('Bearer a'), rawHeaders: rawHeaders.slice(0, 4) })).toBe('a');
  });
});

describe('presentedToken with a further scheme', () => {
  const schemes = new Set(['bearer', 'dpop']);

  it('returns the token of each scheme, in any case', () => {
    for (const header of ['DPoP abc', 'dpop abc', 'Bearer abc', 'BEARER abc'])
      expect(presentedToken(new HttpCredentials(requestWith(header)), schemes)).toBe('abc');
  });
});

describe('schemeOf', () => {
  it.each([
    ['DPoP  abc', 'dpop'],
    ['Bearer abc ', 'bearer'],
    ['Basic other', 'bearer'],
    [undefined, 'bearer'],
  ])('returns the scheme that the token came with: %j', (header, scheme) => {
    expect(schemeOf(new HttpCredentials(requestWith(header)), 'abc')).toBe(scheme);
  });
});

describe('assertExtractable', () => {
  const check = (header: unknown): void => assertExtractable(new HttpCredentials(requestWith(header)), 10);

  it('returns when there is no header, or one of the form scheme SP token', () => {
    for (const header of [undefined, '', 'Bearer abc', 'Token  abc', `Bearer ${'a'.repeat(10)}`])
      expect(() => check(header)).not.toThrow();
  });

  it('throws when the header has room for more than tokenMaxLength', () => {
    expect(() => check(`Bearer ${'a'.repeat(11)}`)).toThrow('tokenMaxLength');
  });

  it.each(['Bearer', 'bearer', 'Bearer a b', 'Bearer \xa0', 'Bearer\ta', 'Bearer a\x7f', ['Bearer a'], 7])(
    'throws RequestInvalidError when the header is %j',
    (header) => {
      expect(() => check(header)).toThrow(RequestInvalidError);
    },
  );

  it.each(['abc', 'Token', 'Digest a, b', '\xa0\xa0 a'])(
    'throws TokenMissingError when the header is %j',
    (header) => {
      expect(() => check(header)).toThrow(TokenMissingError);
    },
  );
});

describe('asBearer', () => {
  it.each([
    ['abc', 'Bearer abc'],
    [' abc ', 'Bearer abc'],
    ['DPoP abc', 'DPoP abc'],
    ['Bearer', 'Bearer'],
    [' bearer ', ' bearer '],
    ['', ''],
    ['  ', '  '],
    [undefined, undefined],
    [7, 7],
  ])('returns for %j: %j', (value, authorization) => {
    expect(asBearer(value)).toBe(authorization);
  });
});

describe('authorizationAmong', () => {
  it('returns the one value when all places agree or have none', () => {
    expect(authorizationAmong([undefined, 'Bearer a', null, '', 'Bearer a'])).toBe('Bearer a');
    expect(authorizationAmong([undefined, null, ''])).toBeUndefined();
  });

  it('returns a list when places differ, and the list is refused', () => {
    const authorization = authorizationAmong(['Bearer a', 'Bearer b', 'Bearer a']);
    expect(authorization).toEqual(['Bearer a', 'Bearer b']);
    expect(() => presentedToken(new HttpCredentials(requestWith(authorization)), BEARER)).toThrow(
      RequestInvalidError,
    );
  });
});
