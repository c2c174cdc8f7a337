import { hash } from 'node:crypto';

/** The members of a JSON Web Key, none of them checked. */
export type Jwk = Readonly<Record<string, unknown>>;

/** Characters of one member of a key set: room for a chain of certificates in `x5c`. */
const MAX_MEMBER_CHARACTERS = 65_536;

/** Names in one member of a key set; the longest keys have some fifteen. */
const MAX_MEMBERS = 256;

/** A member of a key set, measured before anything is made of it. */
export interface MeasuredMember {
  readonly characters: number;
  /** `undefined` for a member that is no object, is too long, or is nested too deep to be written down. */
  readonly jwk: Jwk | undefined;
  /** Digest of all members; one for all that cannot be written down. */
  readonly fingerprint: string;
}

/** Counts as a full slice: its cost is unknown. */
const UNREADABLE: MeasuredMember = {
  characters: MAX_MEMBER_CHARACTERS,
  jwk: undefined,
  fingerprint: 'unserializable',
};

/** Measures one member of a key set and takes its {@link fingerprint}. */
export function measureMember(member: unknown): MeasuredMember {
  try {
    if (isJwk(member) && Object.keys(member).length > MAX_MEMBERS) return UNREADABLE;
    const text = JSON.stringify(member) ?? '';
    const isTooLong = text.length > MAX_MEMBER_CHARACTERS;
    return {
      characters: text.length,
      jwk: !isTooLong && isJwk(member) ? member : undefined,
      fingerprint: isTooLong ? hash('sha256', text, 'base64url') : fingerprint(member),
    };
  } catch {
    return UNREADABLE;
  }
}

/** Digest of a JWK: equal for equal members in any order, and short however long the JWK is. */
export function fingerprint(jwk: unknown): string {
  const canonical = JSON.stringify(jwk, (_, value: unknown) =>
    isJwk(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
  return hash('sha256', canonical, 'base64url');
}

function isJwk(value: unknown): value is Jwk {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
