import { describe, expect, it } from 'vitest';
import { parseBoundedJson } from '../../../lib/metadata/fetch/bounded-json.js';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('parseBoundedJson', () => {
  it('returns the document when only its strings hold many brackets, colons and commas', () => {
    const document = { keys: [{ kid: '[{:,"\\'.repeat(40_000), name: 'clé' }] };
    expect(parseBoundedJson(bytesOf(JSON.stringify(document)))).toEqual({ document });
  });

  it('returns a set of a thousand keys', () => {
    const key = {
      kty: 'RSA',
      use: 'sig',
      alg: 'RS256',
      kid: '1',
      n: 'AQAB',
      e: 'AQAB',
      x5t: 'x',
      x5c: ['x'],
    };
    const document = { keys: Array.from({ length: 1000 }, () => key) };
    expect(parseBoundedJson(bytesOf(JSON.stringify(document)))).toEqual({ document });
  });

  it.each([
    ['objects of different forms', (i: number) => `{"${i}":0}`],
    ['members', (i: number) => `{"${i}":0,"x${i}":0}`],
    ['empty objects', () => '{},{}'],
    ['lists', () => '[[0]]'],
    ['numbers', () => '0,0'],
  ])('returns nothing when it has too many %s', (_, item) => {
    const items = Array.from({ length: 32_000 }, (__, i) => item(i)).join();
    expect(parseBoundedJson(bytesOf(`{"keys":[${items}]}`))).toBeUndefined();
  });

  it('throws when the document is not JSON, or not UTF-8', () => {
    expect(() => parseBoundedJson(bytesOf('{"keys":'))).toThrow(SyntaxError);
    expect(() => parseBoundedJson(bytesOf('"'))).toThrow(SyntaxError);
    expect(() => parseBoundedJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(TypeError);
  });
});
