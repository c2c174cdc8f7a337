import { describe, expect, it } from 'vitest';
import { parseJsonObject } from '../../../lib/token/parse/strict-json.js';

const parse = (text: string) => parseJsonObject(Buffer.from(text));
const TOO_MANY = 'has more than 512 members or 2048 values';
const members = (count: number) =>
  `{${Array.from({ length: count }, (_, index) => `"m${index}":0`).join(',')}}`;
const items = (count: number, item: string) => `{"list":[${Array(count).fill(item).join(',')}]}`;

describe('a strict JSON object', () => {
  it.each([
    ['{}', 1],
    ['{"a":1}', 2],
    ['{"a":[],"b":{ },"c":[ 1 ]}', 5],
    ['{"a":"],[{:","b":[{"c":1},{}]}', 6],
  ])('returns the number of its values when it is %s', (text, values) => {
    expect(parse(text)).toEqual({ object: JSON.parse(text), values });
  });

  it.each([
    ['[1]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['{"a":1', 'is not JSON in UTF-8 without a byte order mark'],
    ['\ufeff{}', 'is not JSON in UTF-8 without a byte order mark'],
    ['{"a":1,"a":2}', 'names a member twice'],
    [String.raw`{"a":1,"\u0061":2}`, 'names a member twice'],
    [`{"a":${'['.repeat(32)}${']'.repeat(32)}}`, 'is nested deeper than 32 levels'],
  ])('returns what is wrong with %j', (text, fault) => {
    expect(parse(text)).toBe(fault);
  });

  it('accepts 512 members and 2048 values at all levels together, and refuses one more', () => {
    expect(parse(members(512))).toMatchObject({ values: 513 });
    expect(parse(members(513))).toBe(TOO_MANY);
    expect(parse(items(400, '{"a":1}'))).toMatchObject({ values: 802 });
    expect(parse(items(512, '{"a":1}'))).toBe(TOO_MANY);
    for (const item of ['0', '""', '{}', '[]']) {
      expect(parse(items(2046, item))).toMatchObject({ values: 2048 });
      expect(parse(items(2047, item))).toBe(TOO_MANY);
    }
  });

  it('rejects text with too many members before it parses it', () => {
    expect(parse(`${members(600)} and no JSON`)).toBe(TOO_MANY);
  });

  it('accepts the 300 groups of a user of Entra ID, and the 200 clients of one of Keycloak', () => {
    const groups = Array.from(
      { length: 300 },
      (_, index) => `00000003-0000-0000-c000-${100_000_000_000 + index}`,
    );
    expect(parse(JSON.stringify({ groups }))).toMatchObject({ object: { groups } });
    const clients = Array.from({ length: 200 }, (_, index) => [
      `client-${index}`,
      { roles: ['viewer', 'editor'] },
    ]);
    expect(parse(JSON.stringify({ resource_access: Object.fromEntries(clients) }))).toMatchObject({
      values: 802,
    });
  });
});
