import { createHmac, timingSafeEqual, type BinaryLike } from 'node:crypto';
import { MetadataStoreError } from '../errors/store.error.js';

/** What a sealed text is: one kind cannot be passed off as the other. */
export type SealedKind = 'snapshot' | 'failure';

/** More than any issuer publishes. */
const LONGEST = 4 * 1024 * 1024;
const UNSEALED = '-';

/** Puts an HMAC before a text, and lets nothing pass without one: who can write to Redis must not be able to add a key. */
export class Seal {
  /** @param keys the first one signs, all of them verify; empty: no seal, on purpose */
  constructor(private readonly keys: readonly BinaryLike[]) {}

  close(kind: SealedKind, content: Readonly<Record<string, unknown>>): string {
    const text = JSON.stringify(content);
    const [key] = this.keys;
    return `${key === undefined ? UNSEALED : mac(key, kind, text).toString('base64url')}.${text}`;
  }

  /** @throws {MetadataStoreError} */
  open(kind: SealedKind, sealed: string): Readonly<Record<string, unknown>> {
    const end = sealed.indexOf('.');
    if (end < 0 || sealed.length > LONGEST) throw malformed();
    const text = sealed.slice(end + 1);
    const given = Buffer.from(sealed.slice(0, end), 'base64url');
    const isGenuine = (key: BinaryLike): boolean => {
      const expected = mac(key, kind, text);
      return given.length === expected.length && timingSafeEqual(given, expected);
    };
    if (this.keys.length > 0 && !this.keys.some(isGenuine))
      throw new MetadataStoreError(
        'tampered',
        `A ${kind} in Redis is not sealed with any of the integrity keys`,
      );
    return parse(text);
  }
}

function mac(key: BinaryLike, kind: SealedKind, text: string): Buffer {
  return createHmac('sha256', key).update(`nestjs-resilient-auth ${kind} 1\n`).update(text).digest();
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null) return { ...content };
  } catch {
    // Told below, without what it says.
  }
  throw malformed();
}

function malformed(): MetadataStoreError {
  return new MetadataStoreError('malformed', 'What is in Redis is not what was saved');
}
