import { describe, expect, it } from 'vitest';
import { quote } from '../../../lib/errors/quote.js';

describe('quote', () => {
  it.each([
    ['api', `'api'`],
    [`it's`, String.raw`'it\u0027s'`],
    ['a\nb\u202ec\u0000', String.raw`'a\u000ab\u202ec\u0000'`],
    ['x'.repeat(121), `'${'x'.repeat(120)}…'`],
    [undefined, 'nothing'],
    [null, 'nothing'],
    [7, '7'],
    [{ secret: 1 }, 'a value of type object'],
    [[], 'an empty list'],
    [['a', 'b', ['c']], `'a', 'b', a list`],
    [['1', '2', '3', '4', '5', '6', '7'], `'1', '2', '3', '4', '5' and 2 more`],
    [['a', null], `'a', nothing`],
  ])('returns %j as %s', (value, quoted) => {
    expect(quote(value)).toBe(quoted);
  });
});
