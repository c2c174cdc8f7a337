import type { KeyRefusal } from '../errors/metadata.errors.js';
import type { SigningKey } from './signing-key.js';

/**
 * Snapshot of an issuer's metadata, validated and immutable. Identity is the version: an equal answer keeps the old
 * object, so two snapshots that differ by `===` have different content.
 */
export class IssuerMetadata {
  readonly #byId: ReadonlyMap<string | undefined, readonly SigningKey[]>;
  readonly #all: ReadonlySet<SigningKey>;
  readonly #skippedById: ReadonlyMap<string | undefined, KeyRefusal>;
  readonly keys: readonly SigningKey[];

  constructor(
    readonly issuer: string,
    readonly jwksUri: string,
    keys: readonly SigningKey[],
    skipped: readonly KeyRefusal[] = [],
  ) {
    this.keys = Object.freeze([...keys]);
    this.#all = new Set(keys);
    this.#byId = groupById(keys);
    this.#skippedById = new Map(skipped.map(({ kid, fault }) => [kid, Object.freeze({ kid, fault })]));
    Object.freeze(this);
  }

  /** The keys published under this `kid`; several are legal (RFC 7517 §4.5). */
  keysWithId(kid: string): readonly SigningKey[] {
    return this.#byId.get(kid) ?? [];
  }

  /** The member published under this `kid` that cannot be used, when no usable key has it. */
  skippedWithId(kid: string): KeyRefusal | undefined {
    return this.#byId.has(kid) ? undefined : this.#skippedById.get(kid);
  }

  /** The members that are published and cannot be used. */
  get skipped(): readonly KeyRefusal[] {
    return [...this.#skippedById.values()];
  }

  /** Whether this very key object is part of the snapshot. */
  has(key: SigningKey): boolean {
    return this.#all.has(key);
  }

  /** Whether issuer, address and keys are the same; their order does not count. */
  equals(other: IssuerMetadata): boolean {
    return (
      this.issuer === other.issuer &&
      this.jwksUri === other.jwksUri &&
      this.#all.size === other.#all.size &&
      this.keys.every((key) => other.has(key)) &&
      this.#skippedById.size === other.#skippedById.size &&
      [...this.#skippedById].every(([kid, { fault }]) => other.#skippedById.get(kid)?.fault === fault)
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
