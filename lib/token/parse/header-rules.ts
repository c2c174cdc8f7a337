import { quote } from '../../errors/quote.js';
import type { TokenHeader } from '../unverified-token.js';
import type { TrustedIssuer } from '../trusted-issuer.js';
import { malformed, refusal } from './refusal.js';

const MAX_KID_LENGTH = 256;
/**
 * RFC 7515 §4.1.11: no extension is understood here, so any `crit` is fatal; RFC 7797 §7 and RFC 7516 §4.1.3 keep `b64`
 * and `zip` out of a signed JWT.
 */
const FORBIDDEN = ['crit', 'b64', 'zip'] as const;

/** The values a header may have: those of all configured issuers first, then those of the issuer the token names. */
export type HeaderPolicy = Pick<TrustedIssuer, 'algorithms' | 'tokenTypes'>;

/** Checks a JOSE header (RFC 7515 §4.1). @throws {TokenError} */
export function assertHeader(
  header: Readonly<Record<string, unknown>>,
  { algorithms, tokenTypes }: HeaderPolicy,
): asserts header is TokenHeader {
  const { alg, typ, kid, cty } = header;
  if (typeof alg !== 'string' || !algorithms.has(alg)) {
    const detail = `alg of the token: ${quote(alg)}; option algorithms: ${quote([...algorithms])}`;
    throw refusal('AUTH_TOKEN_ALGORITHM_REFUSED', 'The alg of the token is not on the allow-list', detail);
  }
  const extension = FORBIDDEN.find((name) => Object.hasOwn(header, name));
  if (extension !== undefined)
    throw malformed('The token header demands an extension that is not supported', `It has ${extension}`);
  if (typ !== undefined && typeof typ !== 'string') throw typeRefused('The typ of the token is not a string');
  if (!tokenTypes.has(typ === undefined ? null : mediaType(typ))) {
    const detail = `typ of the token: ${quote(typ)}; option tokenTypes: ${quote([...tokenTypes])}`;
    throw typeRefused('The typ of the token is not on the allow-list', detail);
  }
  // RFC 7519 §5.2: `cty: JWT` announces a nested token, which is never parsed.
  if (cty !== undefined && (typeof cty !== 'string' || mediaType(cty) === 'jwt')) {
    throw typeRefused('The token announces a nested token', `cty of the token: ${quote(cty)}`);
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH)) {
    throw malformed(`The kid of the token is not a string of at most ${MAX_KID_LENGTH} characters`);
  }
}

/** RFC 7515 §4.1.9: compared without regard to case, `application/` implied when there is no other slash. */
export function mediaType(type: string): string {
  const lower = type.toLowerCase();
  const rest = lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
  return rest.includes('/') ? lower : rest;
}

function typeRefused(message: string, detail?: string): Error {
  return refusal('AUTH_TOKEN_TYPE_REFUSED', message, detail);
}
