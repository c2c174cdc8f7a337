import type { KeyFault, MetadataRefreshError } from '../../errors/metadata.errors.js';
import { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { SigningKey } from '../../keys/signing-key.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { ParsedStored } from '../store/parse-stored.js';
import type { RefreshAttempt } from './refresh-attempt.js';

const SHORTEST_PUBLISHED_INTERVAL = 60_000;
const JITTER = 0.1;
/** Wall clocks are read, and stored, on both sides: a snapshot must not look newer than it is. */
const CLOCK_RESOLUTION = 1000;
const SECRET_FAULTS: ReadonlySet<KeyFault> = new Set(['private', 'symmetric']);
const NEVER = Number.NEGATIVE_INFINITY;

/** The current snapshot of one issuer and everything known about it. Immutable; all times are monotonic. */
export interface IssuerState {
  /** The current snapshot, expired or not. */
  readonly metadata: IssuerMetadata | undefined;
  readonly source: 'issuer' | 'store';
  /** When the last complete check started. */
  readonly checkedAt: number;
  /** When the answer was generated, at the latest: older answers must not replace it. */
  readonly generatedAt: number;
  readonly freshUntil: number;
  readonly expiresAt: number;
  /** The number of the last attempt of this replica that was accepted. */
  readonly attempt: number;
  /** The place of the last check in the order of the fleet's. */
  readonly fence: number;
  /** Whether the last check has a place in that order. */
  readonly isFenced: boolean;
  /** The last check read the documents twice: a key that is missing is absent. */
  readonly isDoubleChecked: boolean;
  /** The last failure, until a refresh succeeds. */
  readonly lastFailure: { readonly at: number; readonly error: MetadataRefreshError } | undefined;
}

export const EMPTY_STATE: IssuerState = {
  metadata: undefined,
  source: 'issuer',
  checkedAt: NEVER,
  generatedAt: NEVER,
  freshUntil: NEVER,
  expiresAt: NEVER,
  attempt: 0,
  fence: 0,
  isFenced: false,
  isDoubleChecked: false,
  lastFailure: undefined,
};

/** What decides how long a checked snapshot is fresh, and how long it may serve. */
export interface Freshness {
  /** Configured; what the issuer publishes can only shorten it. */
  readonly interval: number;
  readonly lifetime: number;
  /** 0 to 1, for the jitter. */
  readonly random: number;
}

/** The difference between two snapshots. */
export interface MetadataChange {
  readonly metadata: IssuerMetadata;
  readonly addedKeyIds: readonly string[];
  readonly withdrawnKeyIds: readonly string[];
  /** Key ids whose key is another one now. */
  readonly replacedKeyIds: readonly string[];
}

/** The current snapshot, as long as it may serve. */
export function usableSnapshot(
  { metadata, expiresAt }: IssuerState,
  now: number,
): IssuerMetadata | undefined {
  return now < expiresAt ? metadata : undefined;
}

/** Whether a later check has been accepted already: then this attempt comes too late. */
export function isSuperseded(
  state: IssuerState,
  { number, startedAt }: RefreshAttempt,
  fence: number | undefined,
): boolean {
  if (state.attempt > number) return true;
  if (state.source !== 'store') return false;
  return fence === undefined ? state.checkedAt > startedAt : state.fence > fence;
}

/**
 * Whether a stored snapshot is newer than the current one. The fleet's order decides, unless its age contradicts; a check
 * outside of that order is compared by when it started.
 */
export function isNewer({ fence, age }: ParsedStored, state: IssuerState, now: number): boolean {
  const startedAt = now - age;
  if (fence === undefined || !state.isFenced) return startedAt > state.checkedAt + CLOCK_RESOLUTION;
  return fence > state.fence && startedAt > state.checkedAt - CLOCK_RESOLUTION;
}

/** Whether the current snapshot comes from a double-checked read above this fence: then a key it lacks is absent. */
export function provesAbsence(state: IssuerState, fence: number): boolean {
  return state.isDoubleChecked && state.fence > fence;
}

/** The state after a reading of this replica. An equal reading keeps the snapshot, an unconfirmed one the times. */
export function acceptReading(
  state: IssuerState,
  issuer: string,
  reading: Reading,
  attempt: RefreshAttempt,
  fence: number | undefined,
  freshness: Freshness,
): IssuerState {
  const accepted: IssuerState = {
    ...state,
    metadata: latest(state, new IssuerMetadata(issuer, reading.jwksUri, reading.keys, reading.skipped)),
    source: 'issuer',
    attempt: attempt.number,
    fence: fence ?? state.fence,
    isFenced: fence !== undefined,
    isDoubleChecked: reading.isDoubleChecked === true,
  };
  if (reading.unconfirmed && state.metadata) return accepted;
  return renew(accepted, reading, attempt.startedAt, freshness);
}

/**
 * The state after a stored snapshot has been adopted. A key that this replica knows and a single read of another replica
 * did not find is kept: that may have been the answer of one stale node.
 */
export function adoptStored(
  state: IssuerState,
  issuer: string,
  stored: ParsedStored,
  now: number,
  freshness: Freshness,
): { readonly state: IssuerState; readonly isComplete: boolean } {
  const { isDoubleChecked, fence, age, jwksUri } = stored;
  const known = isDoubleChecked ? [] : (state.metadata?.keys ?? []);
  const missed = known.filter((key) => !stored.keys.includes(key));
  // A member that holds a secret is never saved: what this replica has read of it stays.
  const secret = (state.metadata?.skipped ?? []).filter(({ fault }) => SECRET_FAULTS.has(fault));
  const skipped = [...stored.skipped, ...secret];
  const adopted: IssuerState = {
    ...state,
    metadata: latest(state, new IssuerMetadata(issuer, jwksUri, [...stored.keys, ...missed], skipped)),
    source: 'store',
    fence: fence ?? state.fence,
    isFenced: fence !== undefined,
    isDoubleChecked,
  };
  if (missed.length > 0) return { state: adopted, isComplete: false };
  const startedAt = now - age;
  const check = { generatedAt: startedAt, maxAge: undefined, age: 0 };
  return { state: renew(adopted, check, startedAt, freshness), isComplete: true };
}

/** The state after a success of this replica or, through the store, of another. */
export function succeed(state: IssuerState): IssuerState {
  return { ...state, lastFailure: undefined };
}

/** The state after an attempt of this replica has failed. */
export function fail(state: IssuerState, error: MetadataRefreshError, now: number): IssuerState {
  return { ...state, lastFailure: { at: now, error } };
}

/** The state after a complete check. */
function renew(
  state: IssuerState,
  { maxAge = Number.POSITIVE_INFINITY, age, generatedAt }: Pick<Reading, 'maxAge' | 'age' | 'generatedAt'>,
  checkedAt: number,
  { interval, lifetime, random }: Freshness,
): IssuerState {
  const shortened = Math.min(interval, Math.max(SHORTEST_PUBLISHED_INTERVAL, maxAge - age));
  const freshUntil = checkedAt + shortened * (1 - JITTER + 2 * JITTER * random);
  return {
    ...state,
    generatedAt: state.expiresAt <= checkedAt ? generatedAt : Math.max(state.generatedAt, generatedAt),
    checkedAt,
    freshUntil,
    expiresAt: freshUntil + lifetime,
  };
}

/** What differs between two states; `undefined` when the snapshot is the same object. */
export function changeBetween(before: IssuerState, { metadata }: IssuerState): MetadataChange | undefined {
  if (!metadata || metadata === before.metadata) return undefined;
  return {
    metadata,
    addedKeyIds: missing(metadata, before.metadata),
    withdrawnKeyIds: missing(before.metadata, metadata),
    replacedKeyIds: replaced(before.metadata, metadata),
  };
}

/** Identity is the version: an equal snapshot keeps the old object. */
function latest(state: IssuerState, metadata: IssuerMetadata): IssuerMetadata {
  return state.metadata?.equals(metadata) ? state.metadata : metadata;
}

function missing(from: IssuerMetadata | undefined, other: IssuerMetadata | undefined): readonly string[] {
  const ids = from?.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])) ?? [];
  return ids.filter((kid) => !other || other.keysWithId(kid).length === 0);
}

/** The other members of a JWK say nothing of the key. */
function replaced(before: IssuerMetadata | undefined, after: IssuerMetadata): readonly string[] {
  const ids = new Set(before?.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])));
  return [...ids].filter((kid) => {
    const known = before?.keysWithId(kid) ?? [];
    const isKnown = (key: SigningKey): boolean =>
      known.some(({ publicKey }) => publicKey.equals(key.publicKey));
    return after.keysWithId(kid).some((key) => !isKnown(key));
  });
}
