import type { SigningKey } from './signing-key.js';

/**
 * What an issuer published, judged and immutable. Identity is the version: an equal answer keeps the old object, so
 * comparing two snapshots with `===` tells whether anything changed.
 */
export class IssuerMetadata {
  readonly #byId: ReadonlyMap<string | undefined, readonly SigningKey[]>;
  readonly #all: ReadonlySet<SigningKey>;
  readonly keys: readonly SigningKey[];

  constructor(
    readonly issuer: string,
    readonly jwksUri: string,
    keys: readonly SigningKey[],
  ) {
    this.keys = Object.freeze([...keys]);
    this.#all = new Set(keys);
    this.#byId = groupById(keys);
    Object.freeze(this);
  }

  /** The keys published under this `kid`; several are legal (RFC 7517 §4.5). */
  keysWithId(kid: string): readonly SigningKey[] {
    return this.#byId.get(kid) ?? [];
  }

  /** Whether this very key object is part of the snapshot. */
  has(key: SigningKey): boolean {
    return this.#all.has(key);
  }

  /** Same issuer, same address, same keys; their order says nothing. */
  equals(other: IssuerMetadata): boolean {
    return (
      this.issuer === other.issuer &&
      this.jwksUri === other.jwksUri &&
      this.#all.size === other.#all.size &&
      this.keys.every((key) => other.has(key))
    );
  }
}

function groupById(keys: readonly SigningKey[]): ReadonlyMap<string | undefined, readonly SigningKey[]> {
  const groups = new Map<string | undefined, SigningKey[]>();
  for (const key of keys) {
    const group = groups.get(key.kid);
    if (group) group.push(key);
    else groups.set(key.kid, [key]);
  }
  return groups;
}
