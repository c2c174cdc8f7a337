import { describe, expect, it } from 'vitest';
import { parseDuration } from '../../../lib/time/duration.js';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['100ms', 100],
    ['1.5h', 5_400_000],
    ['10m', 600_000],
    ['10 m', 600_000],
    ['24H', 86_400_000],
    ['7d', 604_800_000],
  ])('returns the milliseconds when the string is %j', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each(['', '60', 's', '-1s', '+1s', '1e3s', '1 fortnight', '1s ', ' 1s', '1s2s', '.5s', '1  s', '1,5h'])(
    'returns undefined when the string is %j',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  it.each([60, null, undefined, {}, ['1s'], true])('returns undefined when it is no string: %j', (value) => {
    expect(parseDuration(value)).toBeUndefined();
  });

  it('returns undefined when the number is too large for a number', () => {
    expect(parseDuration(`${'9'.repeat(400)}h`)).toBeUndefined();
  });
});
