import { describe, expect, it } from 'vitest';
import { oneLine } from '../../../lib/errors/one-line.js';

describe('oneLine', () => {
  it.each([
    ['line breaks', 'a\r\nb'],
    ['control characters', 'a\u0000\u001b[31mb'],
    ['bidirectional controls', 'a\u202e\u2066\u2069\u200fb'],
    ['line and paragraph separators', 'a\u2028\u2029b'],
    ['characters without width', 'a\u200b\ufeff\u00adb'],
    ['half of a surrogate pair', 'a\ud83d'],
  ])('returns no %s', (_what, text) => {
    expect(oneLine(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
  });

  it('returns printable text of any language as it is', () => {
    expect(oneLine('Schlüssel 鍵 🔑')).toBe('Schlüssel 鍵 🔑');
  });

  it('truncates the text when it is longer than the limit, 1000 characters by default', () => {
    expect(oneLine('x'.repeat(10_000))).toHaveLength(1001);
    expect(oneLine('abcdef', 3)).toBe('abc…');
  });
});
