import { describe, expect, it } from 'vitest';
import { parseLease, parseNotice } from '../../../lib/metadata/store/parse-lease.js';
import { parseStored } from '../../../lib/metadata/store/parse-stored.js';
import { makeSigner } from '../../support/issuers/signer.js';
import { trustedIssuer } from '../../support/issuers/trusted-issuer.js';

const NOW = Date.UTC(2026, 0, 1);
const { metadata: options } = trustedIssuer();
const stored = {
  issuer: 'https://issuer.test',
  jwksUri: 'https://issuer.test/keys',
  keys: [makeSigner('ES256', { kid: 'a' }).jwk],
  checkedAt: NOW - 5000,
  isDoubleChecked: true,
};
const parse = (changes: object) => parseStored({ ...stored, ...changes }, options, undefined, NOW);

describe('the parser of a stored snapshot', () => {
  it('returns keys, address and age when it is what was saved', async () => {
    const { keys, ...rest } = await parse({ fence: 7 });
    expect(keys.map(({ kid }) => kid)).toEqual(['a']);
    expect(rest).toMatchObject({ jwksUri: stored.jwksUri, age: 5000, fence: 7, isDoubleChecked: true });
  });

  it.each([
    ['of another issuer', { issuer: 'https://other.test' }, 'wrong-issuer'],
    ['without issuer', { issuer: undefined }, 'wrong-issuer'],
    ['with an address in plain http', { jwksUri: 'http://issuer.test/keys' }, 'malformed'],
    ['without address', { jwksUri: undefined }, 'malformed'],
    ['without time', { checkedAt: undefined }, 'malformed'],
    ['with a time that is no number', { checkedAt: '1' }, 'malformed'],
    ['with an age that is not finite', { age: Number.NaN }, 'malformed'],
    ['with a negative fence', { fence: -1 }, 'malformed'],
    ['with a fence that leaves no room for another', { fence: Number.MAX_SAFE_INTEGER }, 'malformed'],
    ['without keys', { keys: undefined }, 'malformed'],
    ['with no usable key', { keys: [{ kty: 'oct', k: 's' }] }, 'malformed'],
  ])('throws when the snapshot is %s', async (_, changes, fault) => {
    await expect(parse(changes)).rejects.toMatchObject({ name: 'MetadataStoreError', fault });
  });

  it.each([null, 'text', 7, undefined])('throws when it is no object: %j', async (value) => {
    await expect(parseStored(value, options, undefined, NOW)).rejects.toMatchObject({
      fault: 'wrong-issuer',
    });
  });

  it('throws when reading a member throws', async () => {
    const trap = Object.defineProperty({}, 'issuer', {
      enumerable: true,
      get: () => {
        throw new Error('trap');
      },
    });
    await expect(parseStored(trap, options, undefined, NOW)).rejects.toMatchObject({ fault: 'malformed' });
  });

  it('returns age 0 within a minute of clock skew, and an infinite age beyond', async () => {
    expect(await parse({ checkedAt: NOW + 60_000 })).toMatchObject({ age: 0 });
    expect(await parse({ checkedAt: NOW + 60_001 })).toMatchObject({ age: Number.POSITIVE_INFINITY });
  });

  it('returns the age that the store gives when it gives one', async () => {
    expect(await parse({ age: 9 })).toMatchObject({ age: 9 });
  });

  it('throws when jwksUri is configured and the snapshot has another address', async () => {
    const configured = trustedIssuer({ jwksUri: 'https://issuer.test/other' }).metadata;
    await expect(parseStored(stored, configured, undefined, NOW)).rejects.toMatchObject({
      fault: 'malformed',
    });
  });

  it('returns a large snapshot after several turns of the event loop', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => makeSigner('ES256', { kid: `${index}` }).jwk);
    let turns = 0;
    let isParsed = false;
    const countTurns = (): void => {
      turns++;
      if (!isParsed) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    expect((await parse({ keys })).keys).toHaveLength(40);
    isParsed = true;
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});

describe('the parser of a lease', () => {
  it('returns a granted lease when isGranted is true, and nothing but true', () => {
    expect(parseLease({ isGranted: true, fence: 7, handle: 'h' })).toEqual({
      isGranted: true,
      fence: 7,
      handle: 'h',
    });
    for (const isGranted of ['true', 1, {}, undefined])
      expect(parseLease({ isGranted, fence: 7 })).toMatchObject({
        isGranted: false,
        reason: 'held',
        retryAfter: 0,
      });
  });

  it('returns a reason of the two, and a retryAfter that is a positive number', () => {
    expect(parseLease({ fence: 0, reason: 'budget-spent', retryAfter: 5 })).toMatchObject({
      reason: 'budget-spent',
      retryAfter: 5,
    });
    for (const retryAfter of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null])
      expect(parseLease({ fence: 0, reason: 'other', retryAfter })).toMatchObject({
        reason: 'held',
        retryAfter: 0,
      });
  });

  it.each([undefined, -1, 1.5, '7', Number.NaN, 2 ** 53])('throws when the fence is %j', (fence) => {
    expect(() => parseLease({ isGranted: true, fence })).toThrow(
      expect.objectContaining({ fault: 'unavailable' }),
    );
    expect(() => parseNotice({ fence })).toThrow(expect.objectContaining({ fault: 'malformed' }));
  });
});
