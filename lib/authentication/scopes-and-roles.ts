import { LRUCache } from 'lru-cache';
import type { Claims } from '../token/unverified-token.js';

/**
 * Where a claim stands: names joined by dots, such as `'realm_access.roles'`, or a list of names where a name holds a
 * dot itself, such as `['https://api.example.com/roles']`.
 */
export type ClaimPath = string | readonly string[];

/** Reads a list of words off a token. @param user what `validate` returned */
export type ClaimReader = (claims: Claims, user: unknown) => readonly string[];

/** Returns how to read the scopes of a token. @param source where the issuer keeps them, if not in `scope` or `scp` */
export function scopeReader(source: ClaimPath | ClaimReader | undefined): ClaimReader {
  return readerOf(source, scopesOf, words);
}

/** Returns how to read the roles of a token. @param source where the issuer keeps them, if not in `roles` */
export function roleReader(source: ClaimPath | ClaimReader | undefined): ClaimReader {
  return readerOf(source, rolesOf, names);
}

/** RFC 6749 §3.3: what a token can hold as one scope, and a challenge can name (RFC 6750 §3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a value can be one scope. */
export function isScope(value: unknown): value is string {
  return typeof value === 'string' && SCOPE.test(value);
}

/** RFC 9068 §2.2.3 and RFC 8693 §4.2: `scope`, space-separated; `scp` is a string with Entra ID and a list with Okta. */
export function scopesOf({ scope, scp }: Claims): readonly string[] {
  const scopes = words(scope);
  return scopes.length > 0 ? scopes : words(scp);
}

/** RFC 9068 §2.2.3.1; issuers with one role per user write it without a list. */
export function rolesOf({ roles }: Claims): readonly string[] {
  return names(roles);
}

function readerOf(
  source: ClaimPath | ClaimReader | undefined,
  byDefault: ClaimReader,
  listOf: (value: unknown) => readonly string[],
): ClaimReader {
  if (source === undefined) return byDefault;
  if (typeof source === 'function') return source;
  const path = typeof source === 'string' ? source.split('.') : [...source];
  return (claims) => listOf(valueAt(path, claims));
}

/** The claim at a path of objects; their own members only, since the names may be those of a prototype. */
function valueAt(path: readonly string[], claims: Claims): unknown {
  let value: unknown = claims;
  for (const name of path) {
    const member = isObject(value) ? Object.getOwnPropertyDescriptor(value, name) : undefined;
    value = member?.value;
  }
  return value;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Few values of `scope` go round: cached tokens with the same one share its list. */
const lists = new LRUCache<string, readonly string[]>({ max: 256 });
const MAX_REMEMBERED = 1024;

/** A string of several words separated by spaces, or a list. */
function words(value: unknown): readonly string[] {
  if (typeof value !== 'string') return names(value);
  const known = lists.get(value);
  if (known) return known;
  const list = Object.freeze(value.split(' ').filter((word) => word !== ''));
  if (value.length <= MAX_REMEMBERED) lists.set(value, list);
  return list;
}

const NONE: readonly string[] = Object.freeze([]);

/** One string, which may hold spaces, or a list of them. */
function names(value: unknown): readonly string[] {
  if (value === undefined) return NONE;
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((name): name is string => typeof name === 'string' && name !== '');
}
