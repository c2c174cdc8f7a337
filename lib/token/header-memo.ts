import { LRUCache } from 'lru-cache';
import type { TokenHeader } from './candidate.js';

/** An issuer writes one header per key; these are more than enough for the largest key sets. */
const MAX_HEADERS = 2000;
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Headers by their text: an issuer writes the same one on every token, so that it need be parsed but once. Only those
 * of verified tokens come in, so that rubbish can neither fill it nor push a good one out.
 */
export class HeaderMemo {
  readonly #headers = new LRUCache<string, TokenHeader>({ max: MAX_HEADERS, maxSize: MAX_CHARACTERS });

  /** @param text the first part of a token */
  get(text: string): TokenHeader | undefined {
    return this.#headers.get(text);
  }

  /** Remembers the header of a token whose signature has been verified. */
  remember(token: string, header: TokenHeader): void {
    const text = token.slice(0, token.indexOf('.'));
    if (this.#headers.has(text)) return;
    // A copy: V8 keeps the whole token in memory for as long as a slice of it lives.
    const copy = Buffer.from(text, 'latin1').toString('latin1');
    this.#headers.set(copy, header, { size: copy.length });
  }
}
