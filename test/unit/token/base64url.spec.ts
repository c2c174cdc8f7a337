import { describe, expect, it } from 'vitest';
import { isCanonicalBase64url } from '../../../lib/token/parse/base64url.js';

describe('isCanonicalBase64url', () => {
  it('returns true when Node wrote it, for every length and every last byte', () => {
    for (let length = 1; length <= 6; length++) {
      for (let last = 0; last < 256; last++) {
        const bytes = Buffer.alloc(length, 0xa5);
        bytes[length - 1] = last;
        expect(isCanonicalBase64url(bytes.toString('base64url'))).toBe(true);
      }
    }
  });

  it('returns true for one spelling of each value only: unused bits have to be zero', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const spellings = (prefix: string) =>
      alphabet.split('').filter((last) => isCanonicalBase64url(prefix + last));
    expect(spellings('A').join('')).toBe('AQgw');
    expect(spellings('AA').join('')).toBe('AEIMQUYcgkosw048');
    expect(spellings('AAA')).toHaveLength(64);
  });

  it.each(['', 'A', 'AAAAA', 'AA==', 'AA=', 'A+AA', 'A/AA', 'AA AA', 'AAA\n', 'AAÄA', 'A.AA', 'AAA\u0000'])(
    'returns false when the segment is %j',
    (segment) => {
      expect(isCanonicalBase64url(segment)).toBe(false);
    },
  );
});
