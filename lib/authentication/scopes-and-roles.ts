import type { Claims } from '../token/unverified-token.js';

/** RFC 9068 §2.2.3 and RFC 8693 §4.2: `scope`, space-separated; `scp` is a string with Entra ID and a list with Okta. */
export function scopesOf({ scope, scp }: Claims): readonly string[] {
  return words(scope ?? scp);
}

/** RFC 9068 §2.2.3.1. */
export function rolesOf({ roles }: Claims): readonly string[] {
  return Array.isArray(roles) ? words(roles) : [];
}

function words(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => word !== '');
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}
