import { describe, expect, it } from 'vitest';
import { parseJsonObject } from '../../../lib/token/parse/strict-json.js';

const parse = (text: string | Uint8Array): Record<string, unknown> | undefined => {
  const parsed = parseJsonObject(Buffer.from(text));
  return typeof parsed === 'string' ? undefined : parsed.object;
};
const nested = (depth: number) => `{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

describe('parseJsonObject', () => {
  it.each(['{}', ' {"a":1}\n', '{"a":{"b":[1,{"c":null}]}}', '{"a":":{[\\"\\\\","b":"ä€😀"}'])(
    'returns the object when the text is %s',
    (text) => {
      expect(parse(text)).toEqual(JSON.parse(text));
    },
  );

  it.each([
    '',
    '[]',
    '"a"',
    '1',
    'null',
    'true',
    '{',
    '{}{}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":01}',
    '{"a":NaN}',
  ])('returns undefined when the text is no JSON object: %s', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"b":{"a":1,"a":2}}',
    '{"b":[{"a":1,"a":2}]}',
    '{"__proto__":1,"__proto__":2}',
  ])('returns undefined when a name is there twice: %s', (text) => {
    expect(parse(text)).toBeUndefined();
  });

  it('returns the object when two objects have the same name each', () => {
    expect(parse('{"a":{"x":1},"b":{"x":1}}')).toEqual({ a: { x: 1 }, b: { x: 1 } });
  });

  it('returns undefined when it is nested more than 32 levels deep', () => {
    expect(parse(nested(32))).toEqual(JSON.parse(nested(32)));
    expect(parse(nested(33))).toBeUndefined();
    expect(parse(`{"a":"${'['.repeat(100)}"}`)).toEqual({ a: '['.repeat(100) });
  });

  it.each([
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['an overlong sequence', [0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d]],
    ['a lone continuation byte', [0x7b, 0x22, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
    ['an encoded surrogate', [0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]],
  ])('returns undefined when the bytes have %s', (_, bytes) => {
    expect(parse(Uint8Array.from(bytes))).toBeUndefined();
  });

  it('returns an own member when its name is __proto__, and leaves the prototype alone', () => {
    const parsed = parse('{"__proto__":{"admin":true}}');
    expect(Object.hasOwn(parsed ?? {}, '__proto__')).toBe(true);
    expect(Reflect.get(parsed ?? {}, 'admin')).toBeUndefined();
  });
});
