import { describe, expect, it } from 'vitest';
import { rolesOf, scopesOf } from '../../../lib/authentication/scopes-and-roles.js';

const claims = { iss: 'https://issuer.test', exp: 1 };

describe('scopesOf', () => {
  it.each([
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scope: '  a   b ' }, ['a', 'b']],
    [{ scp: 'a b' }, ['a', 'b']],
    [{ scp: ['a', 'b c'] }, ['a', 'b c']],
    [{ scope: 'a', scp: ['b'] }, ['a']],
    [{ scope: null, scp: 'b' }, ['b']],
    [{ scope: ['a', 7, null] }, ['a']],
    [{ scope: 7 }, []],
    [{}, []],
  ])('returns the list when the claims are %j', (given, expected) => {
    expect(scopesOf({ ...claims, ...given })).toEqual(expected);
  });
});

describe('rolesOf', () => {
  it.each([
    [{ roles: ['a', 'b c'] }, ['a', 'b c']],
    [{ roles: ['a', 7, null, {}] }, ['a']],
    [{ roles: { 0: 'a' } }, []],
    [{}, []],
  ])('returns the list when the claims are %j', (given, expected) => {
    expect(rolesOf({ ...claims, ...given })).toEqual(expected);
  });
});
