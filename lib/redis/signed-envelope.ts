import { createHmac, timingSafeEqual, type BinaryLike } from 'node:crypto';
import { MetadataStoreError } from '../errors/metadata.errors.js';

/** The kind is part of what is signed: one cannot be passed off as the other. */
export type EnvelopeKind = 'snapshot' | 'failure';

/** Characters: more than any issuer publishes. */
const MAX_LENGTH = 4 * 1024 * 1024;
const UNSIGNED = '-';

/** Puts an HMAC before a text, and verifies it: an attacker who can write to Redis must not be able to add a key. */
export class SignedEnvelope {
  /** @param keys the first one signs, all of them verify; empty: no signature, on purpose */
  constructor(private readonly keys: readonly BinaryLike[]) {}

  sign(kind: EnvelopeKind, content: Readonly<Record<string, unknown>>): string {
    const text = JSON.stringify(content);
    const [key] = this.keys;
    return `${key === undefined ? UNSIGNED : mac(key, kind, text).toString('base64url')}.${text}`;
  }

  /** @throws {MetadataStoreError} */
  verify(kind: EnvelopeKind, signed: string): Readonly<Record<string, unknown>> {
    const end = signed.indexOf('.');
    if (end < 0 || signed.length > MAX_LENGTH) throw malformed();
    const text = signed.slice(end + 1);
    const given = Buffer.from(signed.slice(0, end), 'base64url');
    const isGenuine = (key: BinaryLike): boolean => {
      const expected = mac(key, kind, text);
      return given.length === expected.length && timingSafeEqual(given, expected);
    };
    if (this.keys.length > 0 && !this.keys.some(isGenuine))
      throw new MetadataStoreError(
        'tampered',
        `A ${kind} in Redis is not signed with any of the integrity keys`,
      );
    return parse(text);
  }
}

function mac(key: BinaryLike, kind: EnvelopeKind, text: string): Buffer {
  return createHmac('sha256', key).update(`nestjs-resilient-auth ${kind} 1\n`).update(text).digest();
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null) return { ...content };
  } catch {
    // Reported below, without the text.
  }
  throw malformed();
}

function malformed(): MetadataStoreError {
  return new MetadataStoreError('malformed', 'The text in Redis is not what was saved');
}
