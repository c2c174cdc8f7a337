import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is known of a nonce that is accepted. */
export interface AcceptedNonce {
  /** Milliseconds since the epoch; from then on it is not accepted. */
  readonly until: number;
  /** Whether a newer one should be sent. */
  readonly isAging: boolean;
}

interface KnownNonce extends AcceptedNonce {
  readonly bytes: Buffer;
}

/**
 * Nonces without state (RFC 9449 §8, §9): an HMAC over the period of time in which they are made. Two periods are one
 * lifetime. The last one's are accepted too, and so are the next one's, which a replica with a fast clock may have made.
 */
export class Nonces {
  readonly #secrets: readonly string[];
  readonly #period: number;
  #slot = Number.NaN;
  #current = '';
  #known: readonly KnownNonce[] = [];

  /** @param lifetime milliseconds */
  constructor({ secrets, lifetime }: { readonly secrets: readonly string[]; readonly lifetime: number }) {
    this.#secrets = secrets;
    this.#period = lifetime / 2;
  }

  /** Returns the nonce to send. @param now milliseconds since the epoch */
  current(now: number): string {
    this.#moveTo(now);
    return this.#current;
  }

  /** Returns what is known of a nonce; `undefined` when it is none of ours or too old. */
  find(nonce: string, now: number): AcceptedNonce | undefined {
    this.#moveTo(now);
    const given = Buffer.from(nonce, 'latin1');
    return this.#known.find(({ bytes }) => bytes.length === given.length && timingSafeEqual(bytes, given));
  }

  #moveTo(now: number): void {
    const slot = Math.floor(now / this.#period);
    if (slot === this.#slot) return;
    this.#slot = slot;
    const known = [slot, slot - 1, slot + 1].flatMap((each) =>
      this.#secrets.map((secret, index) => ({
        bytes: Buffer.from(this.#nonceOf(each, secret), 'latin1'),
        until: (each + 2) * this.#period,
        isAging: each < slot || index > 0,
      })),
    );
    this.#known = known;
    this.#current = known[0]?.bytes.toString('latin1') ?? '';
  }

  #nonceOf(slot: number, secret: string): string {
    return createHmac('sha256', secret).update(`DPoP-Nonce ${this.#period} ${slot}`).digest('base64url');
  }
}
