import { MetadataStoreError } from '../../errors/store.error.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import { isAcceptableAddress } from '../fetch/parse-discovery.js';
import { judgeKeySet, type JudgedKeySet } from '../../keys/parse-documents.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { StoredMetadata } from './metadata-store.js';

/** Clocks of one fleet differ by less; a snapshot from further ahead says nothing about its age. */
const CLOCK_SKEW = 60_000;

/** What a stored snapshot amounts to. */
export interface JudgedStored extends JudgedKeySet {
  readonly jwksUri: string;
  /** Milliseconds since the check; infinite when it lies in the future. */
  readonly age: number;
  readonly fence: number | undefined;
  readonly isConfirmed: boolean;
}

/**
 * Judges a snapshot out of a store by the rules for an answer of the issuer. Pure.
 *
 * @param wallClock now, in milliseconds since the epoch
 * @throws {MetadataStoreError}
 */
export function judgeStored(
  stored: unknown,
  options: ResolvedMetadataOptions,
  known: IssuerMetadata | undefined,
  wallClock: number,
): JudgedStored {
  const { issuer, jwksUri, keys, checkedAt, fence, isConfirmed, age: told } = members(stored);
  const age = told ?? since(checkedAt, wallClock);
  if (issuer !== options.issuer)
    throw new MetadataStoreError('wrong-issuer', 'The snapshot is of another issuer');
  if (
    typeof jwksUri !== 'string' ||
    !isAcceptableAddress(jwksUri, options.requireHttps) ||
    jwksUri !== (options.jwksUri ?? jwksUri) ||
    typeof age !== 'number' ||
    !Number.isFinite(age) ||
    !(fence === undefined || isFence(fence))
  )
    throw new MetadataStoreError('malformed', 'The snapshot is not what was saved');
  try {
    const judged = judgeKeySet({ keys }, options.algorithms, known);
    return {
      jwksUri,
      ...judged,
      age: age < -CLOCK_SKEW ? Number.POSITIVE_INFINITY : Math.max(0, age),
      fence,
      isConfirmed: isConfirmed === true,
    };
  } catch (error) {
    throw new MetadataStoreError('malformed', 'The snapshot holds no usable key', { cause: error });
  }
}

/** Whether a number can stand in the order of a fleet's checks: with room for all that will follow. */
export function isFence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 2 ** 52;
}

function since(checkedAt: unknown, wallClock: number): number {
  return typeof checkedAt === 'number' ? wallClock - checkedAt : Number.NaN;
}

/** Read once: what a store brings may be of any kind. */
function members(stored: unknown): Partial<Record<keyof StoredMetadata, unknown>> {
  try {
    return typeof stored === 'object' && stored !== null ? { ...stored } : {};
  } catch (error) {
    throw new MetadataStoreError('malformed', 'The snapshot cannot be read', { cause: error });
  }
}
