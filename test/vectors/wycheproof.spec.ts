import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../lib/keys/fingerprint.js';
import { algorithmPolicy } from '../../lib/keys/algorithms.js';
import { parseJwk } from '../../lib/keys/parse-jwk.js';
import { missing, readWycheproof } from './files.js';
import {
  CRYPTO_OVERRIDES,
  ENCRYPTION_RULE,
  expectedStages,
  KEY_OVERRIDES,
  SIGNATURE_OVERRIDES,
  type Override,
} from './overrides.js';
import { stageOf, Tally, type Stage } from './stage.js';

interface File {
  readonly name: string;
  readonly overrides: readonly Override[];
  /** What came of all of them, counted once by hand: a vector that stops elsewhere than before has a reason. */
  readonly counts: Partial<Record<Stage, number>>;
}

const FILES: readonly File[] = [
  {
    name: 'json_web_signature_test.json',
    overrides: SIGNATURE_OVERRIDES,
    counts: { structure: 55, header: 14, key: 15, signature: 291, claims: 26 },
  },
  {
    name: 'json_web_key_test.json',
    overrides: KEY_OVERRIDES,
    counts: { structure: 2, header: 15, key: 8, claims: 1 },
  },
  {
    name: 'json_web_crypto_test.json',
    overrides: CRYPTO_OVERRIDES,
    counts: { structure: 65, header: 8, key: 3, signature: 5, claims: 2 },
  },
];

describe.skipIf(missing).each(FILES)(`Wycheproof $name ${missing ?? ''}`, ({ name, overrides, counts }) => {
  const { numberOfTests, vectors } = readWycheproof(name);
  const tally = new Tally();

  it.each(vectors)('returns the expected stage for $tcId: $comment ($result)', async (vector) => {
    const stage = await stageOf(vector.token, vector.published);
    tally.add(stage);
    expect(expectedStages(vector, overrides)).toContain(stage);
  });

  it('counts every vector of the file at its known stage', () => {
    expect(tally.counts).toEqual(counts);
    expect(tally.total).toBe(numberOfTests);
  });

  it('overrides only vectors that state what the table says they do', () => {
    for (const { tcIds, stated } of overrides) {
      const found = vectors.filter(({ tcId }) => tcIds.includes(tcId));
      expect(found.map(({ result }) => result)).toEqual(tcIds.map(() => stated));
    }
  });
});

describe.skipIf(missing)(`Wycheproof json_web_encryption_test.json ${missing ?? ''}`, () => {
  const { numberOfTests, vectors } = readWycheproof('json_web_encryption_test.json');
  const tally = new Tally();

  it.each(vectors)('rejects $tcId by its structure: $comment ($result)', async ({ token, published }) => {
    const stage = await stageOf(token, published);
    tally.add(stage);
    expect(stage).toBe(ENCRYPTION_RULE.stage);
  });

  it('counts every vector of the file', () => {
    expect(tally.counts).toEqual({ structure: 139 });
    expect(numberOfTests).toBe(139);
  });
});

describe.skipIf(missing)(`the keys of Wycheproof json_web_key_test.json ${missing ?? ''}`, () => {
  const { vectors } = readWycheproof('json_web_key_test.json');
  const algorithms = algorithmPolicy(['RS256', 'ES256', 'ES384', 'ES512']);
  const faults: Readonly<Record<string, readonly number[]>> = {
    'fit to verify': [5],
    weak: [7, 8, 9],
    'not-for-signatures': [6, 21],
    unsupported: [19, 20, 23, 24],
    malformed: [22],
    symmetric: [2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 25, 26],
    // A mixed set: the EC key in it is as good as it was.
    'symmetric, fit to verify': [1],
  };

  it.each(Object.entries(faults))('returns %s for the keys of %j', (verdict, tcIds) => {
    const judged = vectors
      .filter(({ tcId }) => tcIds.includes(tcId))
      .map(({ published }) => published.map((key) => parseJwk(key, fingerprint(key), algorithms)))
      .map((keys) => keys.map((key) => (typeof key === 'string' ? key : 'fit to verify')));
    expect(judged.map((keys) => [...new Set(keys)].join(', '))).toEqual(tcIds.map(() => verdict));
  });

  it('covers the keys of every vector', () => {
    expect(Object.values(faults).flat()).toHaveLength(26);
  });
});
