import type { BinaryLike } from 'node:crypto';
import { AuthConfigurationError } from '../errors/configuration.error.js';

/** One secret; or several, of which the first one signs; or `null` for none, on purpose. */
export type IntegrityKey = BinaryLike | readonly BinaryLike[] | null;

/** Bytes: an attacker who reads a signature could find a shorter one by trying. */
const SHORTEST_KEY = 16;

/** @throws {AuthConfigurationError} without an integrity key, or with one that is too short */
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
