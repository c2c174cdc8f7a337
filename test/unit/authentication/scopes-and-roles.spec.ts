import { describe, expect, it } from 'vitest';
import { roleReader, scopeReader } from '../../../lib/authentication/scopes-and-roles.js';

const claimsWith = (claims: object) => ({ iss: 'https://issuer.test', exp: 1, ...claims });
const scopes = (claims: object, source?: string | readonly string[]): readonly string[] =>
  scopeReader(source)(claimsWith(claims), undefined);
const roles = (claims: object, source?: string | readonly string[]): readonly string[] =>
  roleReader(source)(claimsWith(claims), undefined);

describe('scopeReader', () => {
  it('returns one frozen list for tokens with the same scopes', () => {
    const list = scopes({ scope: 'orders:read orders:write' });
    expect(scopes({ scope: ['orders', 'read orders'].join(':').concat(':write') })).toBe(list);
    expect(Object.isFrozen(list)).toBe(true);
    expect(scopes({ scope: 'orders:read' })).toEqual(['orders:read']);
    const long = 'a'.repeat(1025);
    expect(scopes({ scope: long })).not.toBe(scopes({ scope: long }));
  });

  it.each([
    [{ scope: 'a b' }, ['a', 'b']],
    [{ scp: 'a  b ' }, ['a', 'b']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
    [{ scope: 'a', scp: 'b' }, ['a']],
    [{ scope: '', scp: ['b'] }, ['b']],
    [{ scope: ' ', scp: 'b' }, ['b']],
    [{ scope: [], scp: 'b' }, ['b']],
    [{ scope: null, scp: 'b' }, ['b']],
    [{ scope: 'a', scp: null }, ['a']],
    [{ scope: null, scp: null }, []],
    [{ scp: ['a', 'b c'] }, ['a', 'b c']],
    [{ scope: ['a', 7, null] }, ['a']],
    [{ scope: 7 }, []],
    [{}, []],
  ])('returns what %j holds without a source: %j', (claims, expected) => {
    expect(scopes(claims)).toEqual(expected);
  });

  it.each([
    ['permissions', { permissions: ['a', 'b'], scope: 'x' }, ['a', 'b']],
    ['permissions', { permissions: 'a b' }, ['a', 'b']],
    ['permissions', { scope: 'x' }, []],
    ['permissions', { permissions: null }, []],
    ['a.b.c', { a: { b: { c: ['deep'] } } }, ['deep']],
    ['a.b', { 'a.b': ['flat'] }, []],
    [['a.b'], { 'a.b': ['flat'] }, ['flat']],
    [['https://api.example.com/', 'scopes'], { 'https://api.example.com/': { scopes: 'a b' } }, ['a', 'b']],
    ['permissions', { permissions: ['a', 1, null, ['b'], { c: 'd' }] }, ['a']],
    ['permissions', { permissions: { a: true } }, []],
    ['permissions.length', { permissions: ['a'] }, []],
    ['permissions.0', { permissions: ['a'] }, []],
    ['sub.length', { sub: 'alice' }, []],
    ['constructor.name', {}, []],
    ['__proto__', {}, []],
  ])('[P5-3] returns what the claim path %j finds in %j: %j', (path, claims, expected) => {
    expect(scopes(claims, path)).toEqual(expected);
  });

  it('returns a function of the application as it is', () => {
    const source = (): readonly string[] => ['a'];
    expect(scopeReader(source)).toBe(source);
  });
});

describe('roleReader', () => {
  it.each([
    [{ roles: ['a', 'b'] }, ['a', 'b']],
    [{ roles: 'admin' }, ['admin']],
    [{ roles: 'Domain Admins' }, ['Domain Admins']],
    [{ roles: '' }, []],
    [{ roles: null }, []],
    [{ roles: { admin: true } }, []],
    [{ roles: ['a', 7, null, {}] }, ['a']],
    [{ roles: { 0: 'a' } }, []],
    [{}, []],
  ])('returns what %j holds without a source: %j', (claims, expected) => {
    expect(roles(claims)).toEqual(expected);
  });

  it.each([
    ['realm_access.roles', { realm_access: { roles: ['a'] }, roles: ['x'] }, ['a']],
    ['realm_access.roles', { realm_access: { roles: 'Domain Admins' } }, ['Domain Admins']],
    ['realm_access.roles', { realm_access: null }, []],
    ['realm_access.roles', { realm_access: 'roles' }, []],
    [['cognito:groups'], { 'cognito:groups': ['a'] }, ['a']],
    ['cognito:groups', { 'cognito:groups': ['a'] }, ['a']],
    [
      ['resource_access', 'orders.api', 'roles'],
      { resource_access: { 'orders.api': { roles: ['a'] } } },
      ['a'],
    ],
  ])('[P5-3] returns what the claim path %j finds in %j: %j', (path, claims, expected) => {
    expect(roles(claims, path)).toEqual(expected);
  });
});
