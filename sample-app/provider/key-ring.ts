import { createSigningKey, type SigningKey } from './signing-key.js';

/** The keys of the provider: which are published, and which one signs. */
export class KeyRing {
  #published: readonly SigningKey[] = [];
  #announced: SigningKey | undefined;
  /** Made ahead: a rotation should take no time. */
  #next = createSigningKey();

  /** Published keys that sign or have signed; the first one signs. */
  get keys(): readonly SigningKey[] {
    return this.#published;
  }

  /** The key that is published and does not sign yet. */
  get announced(): SigningKey | undefined {
    return this.#announced;
  }

  /** Everything in the key set; the first one signs. */
  get published(): readonly SigningKey[] {
    return this.#announced ? [...this.#published, this.#announced] : this.#published;
  }

  /** Signs with the announced key, or with a new one. One key before it stays published, or none. */
  async rotate({ keepOld }: { keepOld: boolean }): Promise<SigningKey> {
    const announced = this.#announced;
    this.#announced = undefined;
    const key = announced ?? (await this.#takeNext());
    this.#published = [key, ...(keepOld ? this.#published.slice(0, 1) : [])];
    return key;
  }

  /** Publishes the next key ahead of its first use, as well-kept providers do. */
  async announce(): Promise<SigningKey> {
    this.#announced ??= await this.#takeNext();
    return this.#announced;
  }

  /** Replaces the signing key by another one under the same `kid`: the mistake of a provider. */
  async reuseKid(): Promise<SigningKey> {
    const material = await this.#takeNext();
    const key = { ...material, kid: this.#published[0]?.kid ?? material.kid };
    this.#published = [key, ...this.#published.slice(1)];
    return key;
  }

  /** Unpublishes the keys that no longer sign. */
  withdrawOld(): void {
    this.#published = this.#published.slice(0, 1);
  }

  #takeNext(): Promise<SigningKey> {
    const next = this.#next;
    this.#next = createSigningKey();
    return next;
  }
}
