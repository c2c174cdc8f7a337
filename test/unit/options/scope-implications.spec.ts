import { describe, expect, it } from 'vitest';
import { cycleIn, scopesThatImply } from '../../../lib/options/module/scope-implications.js';

describe('scopesThatImply', () => {
  it('returns all scopes that imply one, through others as well', () => {
    const implied = scopesThatImply({ admin: ['write', 'audit'], write: ['read'], other: ['read'] });
    expect(implied.get('read')?.toSorted()).toEqual(['admin', 'other', 'write']);
    expect(implied.get('write')).toEqual(['admin']);
    expect(implied.get('admin')).toBeUndefined();
  });

  it('returns nothing for names that objects inherit', () => {
    expect(scopesThatImply({ a: ['constructor', 'toString'] }).get('constructor')).toEqual(['a']);
    expect(scopesThatImply({}).get('constructor')).toBeUndefined();
  });
});

describe('cycleIn', () => {
  it.each([
    [{ a: ['a'] }, 'a'],
    [{ x: ['a'], a: ['b'], b: ['c'], c: ['a'] }, 'a'],
    [{ a: ['b', 'c'], b: ['d'], c: ['d'] }, undefined],
  ])('returns a scope that implies itself: %j', (implications, scope) => {
    expect(cycleIn(implications)).toBe(scope);
  });
});
