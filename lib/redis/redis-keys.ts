import { createHash } from 'node:crypto';

/** The keys and the channel of one issuer: in one slot of a cluster, by the hash tag in braces. */
export interface RedisKeys {
  readonly snapshot: string;
  readonly lease: string;
  readonly fence: string;
  readonly budget: string;
  readonly channel: string;
}

export function keysOf(prefix: string, issuer: string): RedisKeys {
  const base = `${prefix}{${createHash('sha256').update(issuer).digest('base64url')}}`;
  return {
    snapshot: `${base}:snapshot`,
    lease: `${base}:lease`,
    fence: `${base}:fence`,
    budget: `${base}:budget`,
    channel: `${base}:checks`,
  };
}
