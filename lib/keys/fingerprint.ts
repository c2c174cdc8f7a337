import { hash } from 'node:crypto';

/** Digest of a JWK: equal for equal members in any order, and short however long the JWK is. */
export function fingerprint(jwk: unknown): string {
  const canonical = JSON.stringify(jwk, (_, value: unknown) =>
    isJwk(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return hash('sha256', canonical, 'base64url');
}

/** The members of a JSON Web Key, none of them checked. */
export type Jwk = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export function isJwk(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
