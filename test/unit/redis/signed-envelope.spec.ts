import { describe, expect, it } from 'vitest';
import { integrityKeys } from '../../../lib/redis/integrity-keys.js';
import { SignedEnvelope } from '../../../lib/redis/signed-envelope.js';

const [OLD, NEW] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const signed = new SignedEnvelope([NEW]).sign('snapshot', { a: 1 });
const faultOf = (envelope: SignedEnvelope, text: string, kind: 'snapshot' | 'failure' = 'snapshot') => {
  try {
    envelope.verify(kind, text);
    return 'ok';
  } catch (error) {
    return Reflect.get(Object(error), 'fault');
  }
};

describe('the signed envelope', () => {
  it('returns the content when one of the keys signed it', () => {
    expect(new SignedEnvelope([OLD, NEW]).verify('snapshot', signed)).toEqual({ a: 1 });
    expect(new SignedEnvelope([NEW, OLD]).verify('snapshot', signed)).toEqual({ a: 1 });
  });

  it.each([
    ['another key signed it', (text: string) => text, [OLD]],
    ['a character was changed', (text: string) => text.replace('1', '2'), [NEW]],
    ['the signature is missing', (text: string) => text.slice(text.indexOf('.')), [NEW]],
    ['it is unsigned', () => new SignedEnvelope([]).sign('snapshot', { a: 1 }), [NEW]],
    ['the signature is cut off', (text: string) => text.slice(2), [NEW]],
  ])('throws tampered when %s', (_, change, keys) => {
    expect(faultOf(new SignedEnvelope(keys), change(signed))).toBe('tampered');
  });

  it('throws tampered when it was signed as another kind', () => {
    expect(faultOf(new SignedEnvelope([NEW]), signed, 'failure')).toBe('tampered');
  });

  it.each(['', 'no dot', '-.', '-.null', '-.7', `-.${'a'.repeat(4 * 1024 * 1024)}`])(
    'throws malformed when it is no envelope around an object',
    (text) => {
      expect(faultOf(new SignedEnvelope([]), text)).toBe('malformed');
    },
  );
});

describe('integrityKeys', () => {
  it.each([[undefined], [''], ['short'], [Buffer.alloc(15)], [[]], [[NEW, 'short']], [7], [{}]])(
    'throws when there is no secret of 16 bytes: %j',
    (given) => {
      expect(() => Reflect.apply(integrityKeys, undefined, [given])).toThrow('integrityKey');
    },
  );

  it('returns the list when each secret is long enough, and an empty one for null', () => {
    expect(integrityKeys(NEW)).toEqual([NEW]);
    expect(integrityKeys(['ä'.repeat(8), OLD])).toEqual(['ä'.repeat(8), OLD]);
    expect(integrityKeys(null)).toEqual([]);
  });
});
