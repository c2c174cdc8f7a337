import { isCanonicalBase64url } from './base64url.js';
import { malformed } from './refusal.js';

/**
 * Splits a token into its parts (RFC 7515 §3.1). Dots are counted without a list of the parts: there may be thousands.
 *
 * @returns header and payload, still encoded
 * @throws {TokenError} when it is not three canonical base64url parts; a JWE has five
 */
export function splitJws(token: string): readonly [header: string, payload: string] {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  const parts = [token.slice(0, first), token.slice(first + 1, second), token.slice(second + 1)] as const;
  if (first < 1 || second < 0 || !parts.every(isCanonicalBase64url)) {
    throw malformed('The token is not a compact JWS of three canonical base64url parts', diagnose(token));
  }
  return [parts[0], parts[1]];
}

/** Dots are counted up to here: a JWE has four. */
const MOST_DOTS = 5;

/** What the token probably is, for the operator who has to find out. */
function diagnose(token: string): string {
  const dots = countDots(token);
  if (dots === 0)
    return 'It has no dots: an opaque token, which only its issuer can check. Ask the issuer for JWT access tokens';
  if (dots === 4)
    return 'It has five parts: an encrypted token (JWE). Configure the issuer to sign access tokens without encrypting them';
  if (dots === MOST_DOTS) return 'It has six parts or more';
  if (dots !== 2) return `It has ${dots + 1} parts`;
  if (token.includes('=')) return 'A part is padded with "=", which RFC 7515 §2 forbids';
  if (/[+/]/.test(token)) return 'A part is plain base64, with "+" or "/"; RFC 7515 §2 asks for base64url';
  return 'A part is empty, has a character outside of base64url, or ends in bits that are not zero';
}

function countDots(token: string): number {
  let dots = 0;
  for (let at = token.indexOf('.'); at !== -1 && dots < MOST_DOTS; at = token.indexOf('.', at + 1)) dots++;
  return dots;
}
