import { describe, expect, it } from 'vitest';
import { Bench, useBench } from '../support/apps/bench.js';

/** docs/security-checklist.md B, the JSON inside: every token here carries the right signature of the right key. */
describe('the JSON of a token', () => {
  const bench = useBench();
  const json = (value: object) => JSON.stringify(value);
  /** The claims with more text behind the first brace. */
  const claimsWith = (text: string, overrides = {}) =>
    json(bench().claims(overrides)).replace('{', `{${text}`);
  const headerWith = (text: string) => json(bench().header()).replace('{', `{${text}`);
  const refusesPayload = (payload: string | Uint8Array) =>
    bench().refuses(bench().raw(bench().header(), payload), 'AUTH_TOKEN_MALFORMED');
  const refusesHeader = (header: string | Uint8Array) =>
    bench().refuses(bench().raw(header, bench().claims()), 'AUTH_TOKEN_MALFORMED');
  const bytes = (text: string, ...more: readonly number[]) =>
    Buffer.concat([Buffer.from(more), Buffer.from(text)]);

  it('[B5] accepts any UTF-8', async () => {
    await bench().admits(bench().raw(bench().header(), claimsWith('"name":"Zoë 漢 🎈",')));
  });

  it('[B5] rejects a byte order mark', async () => {
    await refusesPayload(bytes(json(bench().claims()), 0xef, 0xbb, 0xbf));
    await refusesHeader(bytes(json(bench().header()), 0xef, 0xbb, 0xbf));
  });

  it.each([
    ['a stray byte', [0xff]],
    ['an overlong form', [0xc0, 0x80]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a cut-off sequence', [0xe2, 0x82]],
    ['a code point beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ])('[B5] rejects invalid UTF-8: %s', async (_, invalid) => {
    const spoil = (text: string) => {
      const [before = '', behind = ''] = text.split('HERE');
      return Buffer.concat([Buffer.from(before), Buffer.from(invalid), Buffer.from(behind)]);
    };
    await bench().admits(bench().raw(bench().header(), claimsWith('"name":"HERE",')));
    await refusesPayload(spoil(claimsWith('"name":"HERE",')));
    await refusesHeader(spoil(headerWith('"name":"HERE",')));
  });

  it('[B5] rejects UTF-16', async () => {
    await refusesPayload(Buffer.from(json(bench().claims()), 'utf16le'));
  });

  it.each([
    ['plainly', '"sub":"mallory",'],
    ['behind an escape', String.raw`"s\u0075b":"mallory",`],
    ['with the same value', '"sub":"alice",'],
    ['inside a claim', '"address":{"city":"a","city":"b"},'],
    ['inside a list', '"list":[{"x":1,"x":1}],'],
    ['as __proto__', '"__proto__":1,"__proto__":2,'],
    ['as the empty name', '"":1,"":2,'],
  ])('[B6] rejects a claim that is named twice: %s', async (_, text) => {
    await refusesPayload(claimsWith(text));
  });

  it.each([
    '"alg":"none",',
    '"alg":"ES256",',
    String.raw`"\u0061lg":"none",`,
    '"kid":"other",',
    '"jwk":{"x":1,"x":2},',
  ])('[B6] rejects a header parameter that is named twice: %s', async (text) => {
    await refusesHeader(headerWith(text));
  });

  it('[B6] accepts colons, quotes and braces in strings', async () => {
    const text = JSON.stringify({
      a: '"sub":"x"',
      'b:c': '{"d":{}}',
      e: '\\":\\',
      f: '\u0000:',
      g: [':', { h: ':' }],
    });
    await bench().admits(bench().raw(bench().header(), claimsWith(`${text.slice(1, -1)},`)));
  });

  it.each([
    '[1]',
    '[]',
    '"x"',
    '1',
    'null',
    'true',
    '',
    ' ',
    '{',
    '{}x',
    "{'a':1}",
    '{"a":1,}',
    '{"a":01}',
    '\u2028{}',
  ])('[B7] rejects JSON that is no object: %j', async (text) => {
    if (text === '') return;
    await refusesPayload(text);
    await refusesHeader(text);
  });

  it('[B7] rejects a list around good claims', async () => {
    await refusesPayload(json([bench().claims()]));
    await refusesHeader(json([bench().header()]));
  });

  it.each([
    ['lists', '[', ']'],
    ['objects', '{"a":', '}'],
  ])('[B8] accepts 32 levels of nesting, and rejects more: %s', async (_, open, close) => {
    const nested = (levels: number) => `"deep":${open.repeat(levels)}1${close.repeat(levels)},`;
    await bench().admits(bench().raw(bench().header(), claimsWith(nested(31))));
    await refusesPayload(claimsWith(nested(32)));
    await refusesPayload(claimsWith(nested(1500)));
    await refusesHeader(headerWith(nested(32)));
    await refusesHeader(headerWith(nested(1500)));
  });

  it('[B9] reads no role, claim or algorithm from __proto__', async () => {
    const claims = claimsWith(
      '"__proto__":{"roles":["admin"],"scope":"a"},"constructor":{"prototype":{"roles":["admin"]}},',
    );
    const token = bench().raw(bench().header(), claims);
    await bench().refuses(token, 'AUTH_ROLE_MISSING', '/orders/audit', 403);
    expect((await bench().admits(token, '/orders/token')).body).toMatchObject({ roles: [], scopes: [] });
    const { alg: _, ...header } = { alg: '', ...bench().header() };
    const smuggled = json(header).replace('{', '{"__proto__":{"alg":"ES256"},');
    await bench().refuses(bench().raw(smuggled, bench().claims()), 'AUTH_TOKEN_ALGORITHM_REFUSED');
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it('[B9] counts a required claim only when it is an own member', async () => {
    await using bench = await Bench.open({ options: { requiredClaims: ['constructor', 'toString'] } });
    await bench.refuses(bench.token(), 'AUTH_TOKEN_CLAIM_INVALID');
    await bench.refuses(
      bench.raw(bench.header(), json({ ...bench.claims(), constructor: 1 })),
      'AUTH_TOKEN_CLAIM_INVALID',
    );
    await bench.admits(bench.raw(bench.header(), json({ ...bench.claims(), constructor: 1, toString: 1 })));
  });

  it('[B9] counts exp only when it is an own member', async () => {
    const { exp, ...claims } = { exp: 0, ...bench().claims() };
    const text = json(claims).replace('{', `{"__proto__":{"exp":${exp}},`);
    await bench().refuses(bench().raw(bench().header(), text), 'AUTH_TOKEN_CLAIM_INVALID');
  });
});
