import { hash } from 'node:crypto';
import { ProofError } from '../../../errors/request.errors.js';
import { explanation } from '../../../errors/without-stack-trace.js';
import type { AlgorithmPolicy } from '../../../keys/algorithms.js';
import type { Jwk } from '../../../keys/fingerprint.js';
import { normalizeJwk } from '../../../keys/normalize-jwk.js';
import { parseJwk } from '../../../keys/parse-jwk.js';
import type { SigningKey } from '../../../keys/signing-key.js';
import { assertHeader } from '../../../token/parse/header-rules.js';
import { parseStrictly } from './strict-part.js';

/** Who signed a proof, as its header says. */
export interface ProofSigner {
  readonly alg: string;
  readonly key: SigningKey;
  /** RFC 7638, SHA-256. */
  readonly thumbprint: string;
}

const TYPES: ReadonlySet<string> = new Set(['dpop+jwt']);

/** RFC 7638 §3.2, RFC 8037 §2, RFC 9964 §6: the members that make up a key, in the order of their names. */
const KEY_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  AKP: ['alg', 'kty', 'pub'],
};

/**
 * Judges the header of a proof (RFC 9449 §4.3, 4 to 6): type, algorithm, and a public key as good as one of a key set.
 * Other members are ignored, those of the key as well. Pure, so that the result can be remembered.
 *
 * @param segment the encoded header
 * @throws {ProofError}
 */
export function parseSigner(segment: string, policy: AlgorithmPolicy): ProofSigner {
  const { kid: _kid, cty: _cty, ...header } = parseStrictly(segment, 'header');
  assertProofHeader(header, policy);
  const { alg, jwk } = header;
  if (!isJwk(jwk)) throw invalid('The proof has no jwk');
  // A name or an issuer of the key, which a key set may give it, means nothing here.
  const { kid: _name, issuer: _issuer, ...material } = jwk;
  const key = parseJwk(material, '', policy);
  if (typeof key === 'string') throw invalid('The jwk of the proof cannot be used', `It is refused: ${key}`);
  if (!key.verifies(alg)) throw invalid('The jwk of the proof does not serve its alg');
  return { alg, key, thumbprint: thumbprintOf(material) };
}

function assertProofHeader(
  header: Readonly<Record<string, unknown>>,
  { allowed }: AlgorithmPolicy,
): asserts header is { readonly alg: string; readonly jwk?: unknown } {
  try {
    assertHeader(header, { algorithms: allowed, tokenTypes: TYPES });
  } catch (cause) {
    throw new ProofError('AUTH_PROOF_INVALID', 'The header of the proof is not accepted', { cause });
  }
}

function thumbprintOf(jwk: Jwk): string {
  const { jwk: normalized } = normalizeJwk(jwk);
  const names = KEY_MEMBERS[String(normalized['kty'])] ?? [];
  const members = Object.fromEntries(names.map((name) => [name, normalized[name]]));
  return hash('sha256', JSON.stringify(members), 'base64url');
}

function isJwk(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string, detail?: string): ProofError {
  const cause = detail === undefined ? undefined : explanation(detail);
  return new ProofError('AUTH_PROOF_INVALID', message, { cause });
}
