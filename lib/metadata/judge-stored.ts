import { MetadataStoreError } from '../errors/store.error.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import { isAcceptableAddress, judgeKeySet, type JudgedKeySet } from './judge-documents.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { StoredMetadata } from './metadata-store.js';

/** Clocks of one fleet differ by less; a snapshot from further ahead says nothing about its age. */
const CLOCK_SKEW = 60_000;

/** What a stored snapshot amounts to. */
export interface JudgedStored extends JudgedKeySet {
  readonly jwksUri: string;
  /** Milliseconds since the check; infinite when it lies in the future. */
  readonly age: number;
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
  const given: Partial<Record<keyof StoredMetadata, unknown>> =
    typeof stored === 'object' && stored !== null ? stored : {};
  const { issuer, jwksUri, keys, checkedAt, fence = 0, age = wallClock - Number(checkedAt) } = given;
  if (issuer !== options.issuer)
    throw new MetadataStoreError('wrong-issuer', 'The snapshot is of another issuer');
  if (
    typeof jwksUri !== 'string' ||
    !isAcceptableAddress(jwksUri, options.requireHttps) ||
    jwksUri !== (options.jwksUri ?? jwksUri) ||
    typeof age !== 'number' ||
    !Number.isFinite(age) ||
    !Number.isSafeInteger(fence)
  )
    throw new MetadataStoreError('malformed', 'The snapshot is not what was saved');
  try {
    const judged = judgeKeySet({ keys }, options.algorithms, known);
    return { jwksUri, ...judged, age: age < -CLOCK_SKEW ? Number.POSITIVE_INFINITY : Math.max(0, age) };
  } catch (error) {
    throw new MetadataStoreError('malformed', 'The snapshot holds no usable key', { cause: error });
  }
}
