import { describe, expect, it } from 'vitest';
import { MetadataRefreshError } from '../../../lib/errors/metadata.errors.js';
import { SigningKey } from '../../../lib/keys/signing-key.js';
import type { Reading } from '../../../lib/metadata/fetch/metadata-reader.js';
import {
  acceptReading,
  adoptStored,
  changeBetween,
  EMPTY_STATE,
  fail,
  isNewer,
  isSuperseded,
  provesAbsence,
  succeed,
  usableSnapshot,
  type IssuerState,
} from '../../../lib/metadata/refresh/issuer-state.js';
import { RefreshAttempt } from '../../../lib/metadata/refresh/refresh-attempt.js';
import type { ParsedStored } from '../../../lib/metadata/store/parse-stored.js';
import { makeSigner } from '../../support/issuers/signer.js';

const MINUTE = 60_000;
const ISSUER = 'https://issuer.test';
/** `random` 0.5 makes the interval exact. */
const freshness = { interval: 10 * MINUTE, lifetime: 60 * MINUTE, random: 0.5 };

function keyOf(kid: string): SigningKey {
  const { publicKey, jwk } = makeSigner('ES256', { kid });
  return new SigningKey({
    kid,
    algorithms: ['ES256'],
    issuer: undefined,
    publicKey,
    jwk: { ...jwk },
    fingerprint: kid,
  });
}

const [a, b] = [keyOf('a'), keyOf('b')];

function attemptOf(number: number, startedAt: number): RefreshAttempt {
  const attempt = new RefreshAttempt();
  attempt.start(number, 'on-demand', false, startedAt);
  return attempt;
}

const readingOf = (keys: readonly SigningKey[], changes: Partial<Reading> = {}): Reading => ({
  jwksUri: `${ISSUER}/keys`,
  keys,
  skipped: [],
  normalized: [],
  generatedAt: 0,
  maxAge: undefined,
  age: 0,
  ...changes,
});

/** The state after one reading, started at 1000 by attempt 1. */
function stateOf(keys: readonly SigningKey[], changes: Partial<Reading> = {}, fence?: number): IssuerState {
  return acceptReading(EMPTY_STATE, ISSUER, readingOf(keys, changes), attemptOf(1, 1000), fence, freshness);
}

const storedOf = (keys: readonly SigningKey[], changes: Partial<ParsedStored> = {}): ParsedStored => ({
  jwksUri: `${ISSUER}/keys`,
  keys,
  skipped: [],
  normalized: [],
  age: 0,
  fence: undefined,
  isDoubleChecked: false,
  ...changes,
});

const idsOf = ({ metadata }: IssuerState) => metadata?.keys.map(({ kid }) => kid);

describe('acceptReading', () => {
  it('returns the snapshot with its times when the reading is complete', () => {
    const state = stateOf([a]);
    expect(state).toMatchObject({ source: 'issuer', checkedAt: 1000, attempt: 1 });
    expect(state.freshUntil).toBe(1000 + 10 * MINUTE);
    expect(state.expiresAt).toBe(1000 + 70 * MINUTE);
    expect(usableSnapshot(state, state.expiresAt - 1)).toBe(state.metadata);
    expect(usableSnapshot(state, state.expiresAt)).toBeUndefined();
  });

  it.each([
    [{ maxAge: 5 * MINUTE }, 5 * MINUTE],
    [{ maxAge: 5 * MINUTE, age: 2 * MINUTE }, 3 * MINUTE],
    [{ maxAge: 0 }, MINUTE],
    [{ maxAge: 5 * MINUTE, age: 60 * MINUTE }, MINUTE],
    [{ maxAge: 60 * MINUTE }, 10 * MINUTE],
  ])('returns how long it is fresh when the answer has %j', (changes, expected) => {
    expect(stateOf([a], changes).freshUntil).toBe(1000 + expected);
  });

  it('returns a jitter of ten per cent either way', () => {
    const freshUntil = [0, 1].map(
      (random) =>
        acceptReading(EMPTY_STATE, ISSUER, readingOf([a]), attemptOf(1, 0), undefined, {
          ...freshness,
          random,
        }).freshUntil,
    );
    expect(freshUntil.map(Math.round)).toEqual([9 * MINUTE, 11 * MINUTE]);
  });

  it('keeps the snapshot object when the reading is equal', () => {
    const before = stateOf([a, b]);
    const after = acceptReading(before, ISSUER, readingOf([b, a]), attemptOf(2, 5000), undefined, freshness);
    expect(after.metadata).toBe(before.metadata);
    expect([after.checkedAt, changeBetween(before, after)]).toEqual([5000, undefined]);
  });

  it('keeps the times when the second read failed and there is a snapshot', () => {
    const before = stateOf([a]);
    const unconfirmed = new MetadataRefreshError('timeout', 'The issuer did not answer');
    const reading = readingOf([a, b], { unconfirmed });
    const after = acceptReading(before, ISSUER, reading, attemptOf(2, 5000), undefined, freshness);
    expect([after.checkedAt, after.expiresAt]).toEqual([before.checkedAt, before.expiresAt]);
    expect(idsOf(after)).toEqual(['a', 'b']);
  });

  it('returns a new state and leaves the state before unchanged', () => {
    const before = Object.freeze(stateOf([a]));
    acceptReading(before, ISSUER, readingOf([b]), attemptOf(2, 5000), 3, freshness);
    expect(idsOf(before)).toEqual(['a']);
  });
});

describe('adoptStored', () => {
  it('returns a complete check that started when the stored one did', () => {
    const { state, isComplete } = adoptStored(
      EMPTY_STATE,
      ISSUER,
      storedOf([a], { age: 3000 }),
      10_000,
      freshness,
    );
    expect(isComplete).toBe(true);
    expect(state).toMatchObject({ source: 'store', checkedAt: 7000, freshUntil: 7000 + 10 * MINUTE });
  });

  it('keeps a known key, and the times, when a single read did not find it', () => {
    const before = stateOf([a, b]);
    const { state, isComplete } = adoptStored(before, ISSUER, storedOf([b]), 10_000, freshness);
    expect([isComplete, state.checkedAt]).toEqual([false, before.checkedAt]);
    expect(idsOf(state)?.toSorted()).toEqual(['a', 'b']);
  });

  it('withdraws a known key when a double-checked read did not find it', () => {
    const before = stateOf([a, b]);
    const stored = storedOf([b], { isDoubleChecked: true });
    const { state, isComplete } = adoptStored(before, ISSUER, stored, 10_000, freshness);
    expect([isComplete, idsOf(state)]).toEqual([true, ['b']]);
    expect(changeBetween(before, state)).toMatchObject({ addedKeyIds: [], withdrawnKeyIds: ['a'] });
  });
});

describe('isSuperseded', () => {
  it('returns true when a later attempt has been accepted', () => {
    const state = acceptReading(
      EMPTY_STATE,
      ISSUER,
      readingOf([a]),
      attemptOf(3, 1000),
      undefined,
      freshness,
    );
    expect([2, 3, 4].map((number) => isSuperseded(state, attemptOf(number, 0), undefined))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('returns true when a stored snapshot is later, by fence, else by time', () => {
    const { state } = adoptStored(EMPTY_STATE, ISSUER, storedOf([a], { fence: 7 }), 10_000, freshness);
    expect([6, 7, 8].map((fence) => isSuperseded(state, attemptOf(1, 0), fence))).toEqual([
      true,
      false,
      false,
    ]);
    expect([9999, 10_000].map((at) => isSuperseded(state, attemptOf(1, at), undefined))).toEqual([
      true,
      false,
    ]);
  });
});

describe('isNewer', () => {
  it('compares fences when both have one, unless the age contradicts by more than a second', () => {
    const state = stateOf([a], {}, 5);
    expect(isNewer(storedOf([a], { fence: 6, age: 0 }), state, 5000)).toBe(true);
    expect(isNewer(storedOf([a], { fence: 5, age: 0 }), state, 5000)).toBe(false);
    expect(isNewer(storedOf([a], { fence: 6, age: 4999 }), state, 5000)).toBe(true);
    expect(isNewer(storedOf([a], { fence: 6, age: 5000 }), state, 5000)).toBe(false);
  });

  it('compares when the checks started when one has no fence', () => {
    const state = stateOf([a]);
    expect(isNewer(storedOf([a], { fence: 6, age: 3000 }), state, 5000)).toBe(false);
    expect(isNewer(storedOf([a], { age: 2999 }), state, 5000)).toBe(true);
  });
});

describe('provesAbsence', () => {
  it('returns true when the check was double-checked and above the fence', () => {
    const state = stateOf([a], { isDoubleChecked: true }, 5);
    expect([4, 5].map((fence) => provesAbsence(state, fence))).toEqual([true, false]);
    expect(provesAbsence(stateOf([a], {}, 5), 4)).toBe(false);
  });
});

describe('fail and succeed', () => {
  it('keeps the failure beside the snapshot until a refresh succeeds', () => {
    const error = new MetadataRefreshError('timeout', 'The issuer did not answer');
    const before = stateOf([a]);
    const failed = fail(before, error, 7);
    expect(failed).toEqual({ ...before, lastFailure: { at: 7, error } });
    expect(succeed(failed)).toEqual(before);
  });
});
