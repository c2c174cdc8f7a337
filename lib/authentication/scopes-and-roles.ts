import { LRUCache } from 'lru-cache';
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
  if (typeof value === 'string') return split(value);
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}

/** Most tokens of an API carry one of a few scope strings: they share the list, frozen, in place of one each. */
const lists = new LRUCache<string, readonly string[]>({ max: 1000, maxSize: 256 * 1024 });

function split(text: string): readonly string[] {
  const known = lists.get(text);
  if (known) return known;
  const list = Object.freeze(text.split(' ').filter((word) => word !== ''));
  lists.set(text, list, { size: text.length + 1 });
  return list;
}
