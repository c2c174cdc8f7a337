import { MetadataStoreError } from '../../errors/metadata.errors.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import { parseKeySet, type ParsedKeySet } from '../../keys/parse-key-set.js';
import type { Reading } from '../fetch/metadata-reader.js';
import { isAcceptableAddress } from '../fetch/parse-discovery.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { StoredMetadata } from './metadata-store.js';

/** Clocks of one fleet differ by less; the age of a snapshot from further ahead is unknown. */
const CLOCK_SKEW = 60_000;

/** A stored snapshot after validation. */
export interface ParsedStored extends ParsedKeySet {
  readonly jwksUri: string;
  /** Milliseconds since the check, at the time of parsing; infinite when it lies in the future. */
  readonly age: number;
  readonly fence: number | undefined;
  readonly isDoubleChecked: boolean;
}

/**
 * Validates a stored snapshot by the rules for an answer of the issuer. Pure. A large one is parsed in slices of the event
 * loop: what it holds, the issuer has written.
 *
 * @param wallClock now, in milliseconds since the epoch
 * @throws {MetadataStoreError}
 */
export async function parseStored(
  stored: unknown,
  options: ResolvedMetadataOptions,
  known: IssuerMetadata | undefined,
  wallClock: number,
): Promise<ParsedStored> {
  const { issuer, jwksUri, keys, checkedAt, fence, isDoubleChecked, age: given } = members(stored);
  const age = given ?? elapsed(checkedAt, wallClock);
  if (issuer !== options.issuer)
    throw new MetadataStoreError('wrong-issuer', 'The snapshot is of another issuer');
  if (
    typeof jwksUri !== 'string' ||
    !isAcceptable(jwksUri, options) ||
    typeof age !== 'number' ||
    !Number.isFinite(age) ||
    !(fence === undefined || isFence(fence))
  )
    throw new MetadataStoreError('malformed', 'The snapshot is not what was saved');
  try {
    const parsed = await parseKeySet({ keys }, options.algorithms, known);
    return {
      jwksUri,
      ...parsed,
      age: age < -CLOCK_SKEW ? Number.POSITIVE_INFINITY : Math.max(0, age),
      fence,
      isDoubleChecked: isDoubleChecked === true,
    };
  } catch (error) {
    throw new MetadataStoreError('malformed', 'The snapshot holds no usable key', { cause: error });
  }
}

/** A reading as it is saved. @param checkedAt wall-clock time at which it started */
export function toStored(
  { jwksUri, keys, skipped, isDoubleChecked }: Reading,
  issuer: string,
  checkedAt: number,
  fence: number | undefined,
): StoredMetadata {
  // All that was published: a replica with other algorithms, or another runtime, may use other members.
  const published = [...keys, ...skipped].flatMap(({ jwk }) => (jwk ? [jwk] : []));
  return { issuer, jwksUri, keys: published, checkedAt, fence, isDoubleChecked };
}

/** Whether a number can be a place in the order of a fleet's checks: with room for all that will follow. */
export function isFence(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 2 ** 52;
}

/** Several addresses are separated by a space. */
function isAcceptable(
  jwksUri: string,
  { sources, requireHttps, jwksUri: only }: ResolvedMetadataOptions,
): boolean {
  const configured = sources.length > 0 ? sources.map((source) => source.jwksUri) : [only];
  const addresses = sources.length > 0 ? jwksUri.split(' ') : [jwksUri];
  return addresses.every(
    (address) =>
      isAcceptableAddress(address, requireHttps) &&
      (configured.includes(undefined) || configured.includes(address)),
  );
}

function elapsed(checkedAt: unknown, wallClock: number): number {
  return typeof checkedAt === 'number' ? wallClock - checkedAt : Number.NaN;
}

/** Every member is read once: a store may return anything, getters that throw included. */
function members(stored: unknown): Partial<Record<keyof StoredMetadata, unknown>> {
  try {
    return typeof stored === 'object' && stored !== null ? { ...stored } : {};
  } catch (error) {
    throw new MetadataStoreError('malformed', 'The snapshot cannot be read', { cause: error });
  }
}
