import { describe, expect, it } from 'vitest';
import { Connection } from '../../../lib/websockets/connection.js';

const tokenOf = (claims: object) => {
  const all = { iss: 'https://issuer.test', sub: 'alice', exp: 100, ...claims };
  return { claims: all, header: { alg: 'ES256' }, issuer: 'i', scopes: [], roles: [], user: all };
};

describe('Connection', () => {
  it('compares issuer and subject of a token with those of the one in force', () => {
    const connection = new Connection({}, { end: () => undefined }, undefined);
    expect(connection.isSameSubject(tokenOf({ sub: 'bob' }))).toBe(true);
    connection.open('t', tokenOf({}));
    expect(connection.isSameSubject(tokenOf({ exp: 200 }))).toBe(true);
    for (const claims of [{ sub: 'bob' }, { sub: undefined }, { iss: 'https://other.test' }])
      expect(connection.isSameSubject(tokenOf(claims))).toBe(false);
  });

  it('takes a token that ends before the one in force for an older one', () => {
    const connection = new Connection({}, { end: () => undefined }, undefined);
    connection.open('t', tokenOf({}));
    expect([99, 100, 101].map((exp) => connection.isOlder(tokenOf({ exp })))).toEqual([true, false, false]);
  });
});
