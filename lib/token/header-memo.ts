import { LRUCache } from 'lru-cache';
import type { TokenHeader } from './unverified-token.js';

/** An issuer writes one header per key; these are more than enough for the largest key sets. */
const MAX_HEADERS = 2000;
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Headers by their text: an issuer writes the same one on every token, so that it need be parsed but once. Only those
 * of verified tokens come in, so that rubbish can neither fill it nor push a good one out.
 */
export class HeaderMemo {
  readonly #headers = new LRUCache<string, TokenHeader>({ max: MAX_HEADERS, maxSize: MAX_CHARACTERS });
  /** Spares a second look-up by text. */
  readonly #remembered = new WeakSet<TokenHeader>();

  /** @param text the first part of a token */
  get(text: string): TokenHeader | undefined {
    return this.#headers.get(text);
  }

  /** Remembers the header of a token whose signature has been verified. */
  remember(token: string, header: TokenHeader): void {
    if (this.#remembered.has(header)) return;
    // A copy, not a slice: V8 keeps the whole token in memory for as long as a slice of it lives.
    const text = Buffer.from(token, 'latin1').toString('latin1', 0, token.indexOf('.'));
    this.#headers.set(text, header, { size: text.length });
    this.#remembered.add(header);
  }
}
