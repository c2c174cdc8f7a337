import { RequestInvalidError, TokenMissingError } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { assertHeaderLength, bearerToken } from '../../../lib/authentication/bearer-token.js';

const requestWith = (authorization: unknown) => ({ headers: { authorization } });

describe('bearerToken', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER   abc', 'Bearer abc  '])(
    'returns the token when the header is %j',
    (header) => {
      expect(bearerToken(requestWith(header))).toBe('abc');
    },
  );

  it.each([
    undefined,
    '',
    'Basic abc',
    'Bearerabc',
    'Bearer\tabc',
    ' Bearer abc',
    'DPoP abc',
    ['Bearer abc'],
    7,
  ])('throws TokenMissingError when there is no bearer token: %j', (header) => {
    expect(() => bearerToken(requestWith(header))).toThrow(TokenMissingError);
  });

  it('throws TokenMissingError when there are no headers', () => {
    expect(() => bearerToken({})).toThrow(TokenMissingError);
  });

  it.each(['Bearer', 'Bearer ', 'Bearer    ', 'Bearer a b', 'Bearer a, Bearer b'])(
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

describe('assertHeaderLength', () => {
  it('throws when the header has room for more than tokenMaxLength', () => {
    expect(() => assertHeaderLength(requestWith(`Bearer ${'a'.repeat(10)}`), 10)).not.toThrow();
    expect(() => assertHeaderLength(requestWith(`Bearer ${'a'.repeat(11)}`), 10)).toThrow('tokenMaxLength');
  });
});
