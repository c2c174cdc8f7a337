import { LRUCache } from 'lru-cache';
import { quote } from '../../errors/quote.js';
import { deepFreeze } from '../deep-freeze.js';
import type { TokenHeader, UnverifiedToken } from '../unverified-token.js';
import type { IssuerDirectory, TrustedIssuer } from '../trusted-issuer.js';
import { assertClaims } from './claims.js';
import { splitJws } from './compact-jws.js';
import { assertHeader, type HeaderPolicy } from './header-rules.js';
import { malformed, refusal } from './refusal.js';
import { parseJsonObject, type StrictJson } from './strict-json.js';

/**
 * Checks all of a token that needs no key: no I/O, linear in its length. Only a token that passes may cause a call to
 * the issuer; any other is refused with its own reason.
 *
 * @param now wall-clock time in milliseconds
 * @param maxLength the option `tokenMaxLength`, in characters
 * @param named gets the `name` of the configured issuer that the token names, also where the token is refused then
 * @throws {TokenError}
 */
export function parseToken<Issuer extends TrustedIssuer>(
  token: string,
  issuers: IssuerDirectory<Issuer>,
  now: number,
  maxLength: number,
  named?: { issuer: string | undefined },
): UnverifiedToken<Issuer> {
  const { header, payload, values } = parseJws(token, issuers, maxLength);
  const { object: claims, values: more } = decode(payload, 'payload');
  const { issuer, tenantId } = findIssuer(issuers, claims);
  if (named) named.issuer = issuer.name;
  assertHeader(header, issuer);
  assertClaims(header, claims, issuer, tenantId, now);
  return { token, header, claims, values: values + more, issuer, tenantId };
}

/**
 * Checks size, form and header. The payload is returned unparsed, so that a test of signatures can stop here.
 *
 * @throws {TokenError}
 */
export function parseJws(
  token: string,
  policy: HeaderPolicy,
  maxLength: number,
): { readonly header: TokenHeader; readonly payload: string; readonly values: number } {
  if (token.length > maxLength) {
    const detail = `It has ${token.length} characters; option tokenMaxLength: ${maxLength}`;
    throw malformed('The token is longer than tokenMaxLength', detail);
  }
  const [protectedHeader, payload] = splitJws(token);
  const { object: header, values } = decodeHeader(protectedHeader);
  assertHeader(header, policy);
  return { header, payload, values };
}

/**
 * The tokens of a key have the same header, to the letter: it is parsed once, and cached tokens share it. An attacker
 * who fills the list makes other tokens pay for parsing their header, no more.
 */
const headers = new LRUCache<string, StrictJson>({ max: 64 });
/** Characters, encoded: a header with a certificate chain is not worth its memory. */
const MAX_REMEMBERED = 512;

function decodeHeader(segment: string): StrictJson {
  const known = headers.get(segment);
  if (known) return known;
  const parsed = decode(segment, 'header');
  if (segment.length > MAX_REMEMBERED) return parsed;
  deepFreeze(parsed.object);
  // A copy: a part of a string keeps the whole of it, here the token, in memory.
  headers.set(Buffer.from(segment, 'latin1').toString('latin1'), parsed);
  return parsed;
}

function decode(segment: string, part: 'header' | 'payload'): StrictJson {
  const parsed = parseJsonObject(Buffer.from(segment, 'base64url'));
  if (typeof parsed !== 'string') return parsed;
  throw malformed('A part of the token is not a strict JSON object', `The ${part} ${parsed}`);
}

function findIssuer<Issuer extends TrustedIssuer>(
  issuers: IssuerDirectory<Issuer>,
  { iss, tid }: Readonly<Record<string, unknown>>,
): { readonly issuer: Issuer; readonly tenantId: string | undefined } {
  const found = issuers.find(iss, tid);
  if (found) return found;
  const hint = issuers.hasTemplates ? `, with tid ${quote(tid)} filled in` : '';
  const detail = `iss of the token: ${quote(iss)}; accepted (options issuer and tokenIssuers): ${quote(issuers.tokenIssuers)}${hint}`;
  throw refusal('AUTH_TOKEN_ISSUER_UNKNOWN', 'No issuer is configured for the iss of the token', detail);
}
