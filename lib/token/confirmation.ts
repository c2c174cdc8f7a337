import type { Claims } from './unverified-token.js';

/** What a member of `cnf` is bound to (RFC 7800 §3.1); `undefined` when the token has no such member of its own. */
export function confirmationOf(claims: Claims, member: string): unknown {
  const { cnf } = claims;
  return typeof cnf === 'object' && cnf !== null && Object.hasOwn(cnf, member)
    ? Reflect.get(cnf, member)
    : undefined;
}

/** RFC 9449 §6.1: the SHA-256 thumbprint of a client's public key. */
export const KEY_THUMBPRINT = 'jkt';

/** RFC 8705 §3.1: the SHA-256 thumbprint of a client certificate. */
export const CERTIFICATE_THUMBPRINT = 'x5t#S256';
