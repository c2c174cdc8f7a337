import { MetadataRefreshError } from '../errors/metadata.errors.js';
import type { IssuerMetadata } from './issuer-metadata.js';
import { fingerprint } from './fingerprint.js';
import { findSecret, parseJwk, type KeyFault } from './parse-jwk.js';
import { SigningKey } from './signing-key.js';

/** More members than any issuer has keys: the rest of such a set is not looked at. */
const MAX_MEMBERS = 4096;

/** A member of a key set that is not used, and why. */
export interface SkippedKey {
  readonly kid: string | undefined;
  readonly fault: KeyFault;
  readonly fingerprint: string;
  /** As published, unless it holds a secret: another replica may have another use for it. */
  readonly jwk: Readonly<Record<string, unknown>> | undefined;
}

/** What one answer of the JWKS endpoint amounts to. */
export interface ParsedKeySet {
  readonly keys: readonly SigningKey[];
  readonly skipped: readonly SkippedKey[];
}

/**
 * Judges a key set: broken, private, weak and foreign members are skipped, the good ones kept, and a key that is in
 * `known` already keeps its object. Pure.
 *
 * @throws {MetadataRefreshError} when it is no key set, or no member can verify a token
 */
export function parseKeySet(
  document: unknown,
  algorithms: readonly string[],
  known: IssuerMetadata | undefined,
): ParsedKeySet {
  const { keys: published } = members(document);
  if (!Array.isArray(published))
    throw new MetadataRefreshError('no-usable-key', 'The answer is not a key set');
  const knownKeys = new Map(known?.keys.map((key) => [key.fingerprint, key]));
  const judge = (jwk: unknown, print: string): SigningKey | KeyFault =>
    print === NO_FINGERPRINT ? 'malformed' : (knownKeys.get(print) ?? parseJwk(jwk, print, algorithms));
  const keys = new Map<string, SigningKey>();
  const skipped: SkippedKey[] = [];
  for (const jwk of (published as readonly unknown[]).slice(0, MAX_MEMBERS)) {
    const print = safeFingerprint(jwk);
    const judged = judge(jwk, print);
    if (judged instanceof SigningKey) keys.set(print, judged);
    else skipped.push({ kid: kidOf(jwk), fault: judged, fingerprint: print, jwk: publicOnly(jwk) });
  }
  if (keys.size === 0) {
    throw new MetadataRefreshError(
      'no-usable-key',
      'The key set holds no key that can verify an access token',
    );
  }
  return { keys: [...keys.values()], skipped };
}

function members(document: unknown): Readonly<Record<string, unknown>> {
  return typeof document === 'object' && document !== null ? { ...document } : {};
}

/** Stands for every member without a fingerprint: such members cannot be told apart, so none of them may be a key. */
const NO_FINGERPRINT = 'unserializable';

/** A member nested beyond what the serializer can follow is no key; it must not cost the set its good ones. */
function safeFingerprint(jwk: unknown): string {
  try {
    return fingerprint(jwk);
  } catch {
    return NO_FINGERPRINT;
  }
}

function publicOnly(jwk: unknown): Readonly<Record<string, unknown>> | undefined {
  const published = members(jwk);
  return Object.keys(published).length > 0 && !findSecret(published) ? published : undefined;
}

function kidOf(jwk: unknown): string | undefined {
  const { kid } = members(jwk);
  return typeof kid === 'string' ? kid : undefined;
}
