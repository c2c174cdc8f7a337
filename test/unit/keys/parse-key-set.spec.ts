import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MetadataRefreshError } from '../../../lib/errors/metadata.errors.js';
import { algorithmPolicy } from '../../../lib/keys/algorithms.js';
import { IssuerMetadata } from '../../../lib/keys/issuer-metadata.js';
import { parseKeySet } from '../../../lib/keys/parse-key-set.js';
import { makeSigner } from '../../support/issuers/signer.js';

const POLICY = algorithmPolicy(undefined);
const rsa = makeSigner('RS256').jwk;
const ec = makeSigner('ES256').jwk;
const parse = (...keys: readonly unknown[]) => parseKeySet({ keys }, POLICY, undefined);
const bytes = (text = '') => Buffer.from(text, 'base64url');
const text = (value: Buffer) => value.toString('base64url');

/** A key whose named coordinate begins with a zero byte: one in 256. */
function keyWithLeadingZero(coordinate: 'x' | 'y') {
  for (;;) {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = publicKey.export({ format: 'jwk' });
    if (bytes(jwk[coordinate])[0] === 0) return { jwk, publicKey };
  }
}

describe('members without a meaning', async () => {
  it.each([
    'd',
    'p',
    'oth',
    'k',
    'priv',
    'kid',
    'use',
    'key_ops',
    'alg',
    'issuer',
    'x5c',
    'x5t',
    'crv',
    'e2e',
  ])('returns the key when its %s is null', async (name) => {
    const { keys, skipped, normalized } = await parse({ ...rsa, [name]: null });
    expect(keys).toHaveLength(1);
    expect([skipped, normalized]).toEqual([[], []]);
  });

  it.each(['oth', 'key_ops', 'x5c'])('returns the key when its %s is an empty list', async (name) => {
    expect((await parse({ ...ec, [name]: [] })).keys).toHaveLength(1);
  });

  it.each([
    ['kty', null, 'malformed'],
    ['n', null, 'malformed'],
    ['n', [], 'malformed'],
    ['kid', [], 'malformed'],
    ['use', [], 'not-for-signatures'],
    ['d', [], 'private'],
    ['d', '', 'private'],
    ['p', 'AQ', 'private'],
    ['q', 'AQ', 'private'],
    ['dp', 'AQ', 'private'],
    ['dq', 'AQ', 'private'],
    ['qi', 'AQ', 'private'],
    ['oth', [{}], 'private'],
    ['priv', 'AQ', 'private'],
    ['k', '', 'symmetric'],
  ])('skips a key with the member %s %j as %s', async (name, value, fault) => {
    const { skipped } = await parse({ ...rsa, [name]: value }, ec);
    expect(skipped.map((one) => one.fault)).toEqual([fault]);
  });

  it('returns the JWK as published, so that a store keeps the same key', async () => {
    const published = { ...ec, d: null, key_ops: [] };
    const [key] = (await parse(published)).keys;
    expect(key?.jwk).toEqual(published);
    expect((await parse(key?.jwk)).keys[0]?.fingerprint).toBe(key?.fingerprint);
  });
});

describe('numbers in another spelling', async () => {
  const n = bytes(rsa.n);
  it.each([
    ['n in plain base64', { n: n.toString('base64') }, ['n']],
    ['n and e padded', { n: n.toString('base64'), e: 'AQAB===='.slice(0, 4) }, ['n']],
    ['n with a leading zero', { n: text(Buffer.concat([Buffer.alloc(1), n])) }, ['n']],
    ['e with leading zeros', { e: text(Buffer.from([0, 0, 1, 0, 1])) }, ['e']],
    ['e with a leading zero, padded', { e: Buffer.from([0, 1, 0, 1]).toString('base64') }, ['e']],
  ])('returns the same key and a remark when a generator writes %s', async (_, members, normalized) => {
    const { keys, ...rest } = await parse({ ...rsa, ...members });
    expect(keys[0]?.publicKey.equals((await parse(rsa)).keys[0]?.publicKey ?? failing())).toBe(true);
    expect(rest.normalized).toMatchObject([{ kid: rsa.kid, members: normalized }]);
  });

  it.each(['x', 'y'] as const)('returns the same key when %s lacks its leading zero', async (coordinate) => {
    const { jwk, publicKey } = keyWithLeadingZero(coordinate);
    const { keys, normalized } = await parse({
      ...jwk,
      [coordinate]: text(bytes(jwk[coordinate]).subarray(1)),
    });
    expect(keys[0]?.publicKey.equals(publicKey)).toBe(true);
    expect(normalized).toMatchObject([{ kid: undefined, members: [coordinate] }]);
  });

  it('returns no remark when the key is written as RFC 7518 asks for', async () => {
    expect((await parse(rsa, ec, makeSigner('EdDSA').jwk)).normalized).toEqual([]);
  });

  it.each([
    ['a zero n', { n: 'AAAA' }, 'weak'],
    ['an even e', { e: text(Buffer.from([1, 0, 2])) }, 'weak'],
    ['an e of 2^16 - 1', { e: text(Buffer.from([0xff, 0xff])) }, 'weak'],
    ['an n with a blank', { n: `${rsa.n} ` }, 'malformed'],
    ['an n of 1,401 characters', { n: text(Buffer.alloc(1051, 0xff)) }, 'weak'],
    ['an e of 12 characters', { e: text(Buffer.alloc(9, 0xff)) }, 'weak'],
    ['an e of 100,000 characters', { e: text(Buffer.alloc(75_000, 0xff)) }, 'malformed'],
  ])('skips a key with %s', async (_, members, fault) => {
    const { skipped } = await parse({ ...rsa, ...members }, ec);
    expect(skipped.map((one) => one.fault)).toEqual([fault]);
  });
});

describe('the work that a key set can cause', async () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ ...makeSigner('EdDSA').jwk, kid: `key-${index}` }));

  it('returns 256 keys at most, and says of the others that they are too many', async () => {
    const { keys, skipped } = await parseKeySet({ keys: many(260) }, POLICY, undefined);
    expect(keys).toHaveLength(256);
    expect(skipped.map(({ kid, fault }) => [kid, fault])).toEqual(
      [256, 257, 258, 259].map((index) => [`key-${index}`, 'too-many']),
    );
  });

  it('stops importing after 512 members, usable or not', async () => {
    const broken = Array.from({ length: 520 }, (_, index) => ({ ...ec, y: ec.x, kid: `key-${index}` }));
    const skipped = (await parse(ec, ...broken)).skipped.map(({ fault }) => fault);
    expect(skipped.filter((fault) => fault === 'malformed')).toHaveLength(511);
    expect(skipped.filter((fault) => fault === 'too-many')).toHaveLength(9);
  });

  it('gives the event loop a turn between slices of new keys, and returns a small set within its turn', async () => {
    const turnsDuring = async (keys: readonly unknown[], known?: IssuerMetadata): Promise<number> => {
      let turns = 0;
      let isParsed = false;
      const count = (): void => {
        if (isParsed) return;
        turns++;
        setImmediate(count);
      };
      setImmediate(count);
      await parseKeySet({ keys }, POLICY, known);
      isParsed = true;
      return turns;
    };
    const keys = many(40);
    expect(await turnsDuring(keys)).toBeGreaterThanOrEqual(9);
    expect(await turnsDuring(keys.slice(0, 4))).toBe(0);
    const known = new IssuerMetadata(
      'https://issuer.test',
      'https://issuer.test/jwks',
      (await parse(...keys)).keys,
    );
    expect(await turnsDuring(keys, known)).toBe(0);
  });

  it('returns one key object when the key is known and comes twice in the set', async () => {
    const [first] = (await parse(rsa)).keys;
    const known = new IssuerMetadata('https://issuer.test', 'https://issuer.test/jwks', first ? [first] : []);
    expect((await parseKeySet({ keys: [rsa, rsa] }, POLICY, known)).keys).toEqual([first]);
  });

  it('skips a member of more than 256 names', async () => {
    const names = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, 0]));
    expect((await parse({ ...names(300), ...rsa }, ec)).skipped).toMatchObject([
      { kid: rsa.kid, fault: 'malformed' },
    ]);
    expect((await parse({ ...names(200), ...rsa })).keys).toHaveLength(1);
  });

  it('skips a member of more than 65,536 characters', async () => {
    expect((await parse({ ...rsa, x5c: ['A'.repeat(70_000)] }, ec)).skipped).toMatchObject([
      { fault: 'malformed' },
    ]);
    expect((await parse({ ...rsa, x5c: ['A'.repeat(20_000)] })).keys).toHaveLength(1);
  });
});

describe('a set that is rejected as a whole', () => {
  it('throws an error that names the fault of each member, quoted', async () => {
    const leaked = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
    const faults = [
      { ...leaked, kid: 'leaked\n\u202e' },
      { ...ec, use: 'enc', kid: undefined },
    ];
    await expect(parse(...faults)).rejects.toThrow(
      String.raw`(by kid, 'leaked\u000a\u202e': private; nothing: not-for-signatures)`,
    );
  });

  it('throws an error whose details hold every skipped member, and names twenty', async () => {
    const error = await thrownBy(
      parse(...Array.from({ length: 30 }, (_, kid) => ({ kty: 'x', kid: `${kid}` }))),
    );
    expect(error.fault).toBe('no-usable-key');
    expect(error.details.skipped).toHaveLength(30);
    expect(error.message.match(/unsupported/g)).toHaveLength(20);
  });
});

async function thrownBy(parsing: Promise<unknown>): Promise<MetadataRefreshError> {
  try {
    await parsing;
  } catch (error) {
    if (error instanceof MetadataRefreshError) return error;
  }
  return failing();
}

function failing(): never {
  throw new Error('There should be one');
}
