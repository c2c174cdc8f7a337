import type { BinaryLike } from 'node:crypto';
import { AuthConfigurationError } from '../errors/configuration.error.js';

/** One secret, several of which the first one seals, or none on purpose. */
export type IntegrityKey = BinaryLike | readonly BinaryLike[] | null;

/** Bytes: whoever reads a seal could find out a shorter one by trying. */
const SHORTEST_KEY = 16;

/** @throws {AuthConfigurationError} without a word about integrity, or with a secret that is too short */
export function integrityKeys(given: IntegrityKey): readonly BinaryLike[] {
  if (given === null) return [];
  const keys: readonly BinaryLike[] = Array.isArray(given) ? given : [given];
  if (keys.length > 0 && keys.every(isKey)) return keys;
  throw new AuthConfigurationError(
    `RedisMetadataStore needs an integrityKey: a secret of ${SHORTEST_KEY} bytes or more (32 random ones are recommended), a list of them, or null to do without on purpose`,
  );
}

function isKey(key: unknown): boolean {
  if (typeof key === 'string') return Buffer.byteLength(key) >= SHORTEST_KEY;
  return ArrayBuffer.isView(key) && key.byteLength >= SHORTEST_KEY;
}
