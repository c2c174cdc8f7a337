import { randomUUID } from 'node:crypto';
import { CompactSign, type KeyInput } from 'jose';
import { parseDuration } from '../time/duration.js';
import type { Duration } from '../metadata/metadata-options.js';

/** How {@link TestIssuer.sign} makes a token. */
export interface SignOptions {
  /**
   * Default: that of the key used. When the signing key is of another kind, a key for this algorithm is made and
   * published on first use.
   */
  alg?: string | undefined;
  /**
   * A key of this issuer, published or withdrawn: sign with that key. Any other value: only say so in the header.
   * An explicit `undefined`: a header without `kid`. Default: the `kid` of the key used.
   */
  kid?: string | undefined;
  /** Media type in the header; `null` leaves it out. Default `'at+jwt'` (RFC 9068 §2.1). */
  typ?: string | null | undefined;
  /** Milliseconds or a string with its unit, from now; negative for a token that has expired. Default `'5m'`. */
  expiresIn?: Duration | undefined;
  /** More header members (`jku`, `crit` …). Names in `crit` must be among them. */
  header?: Readonly<Record<string, unknown>> | undefined;
  /** Sign with this key instead and leave the header as it would have been: a forgery. Default: the issuer's own key. */
  key?: KeyInput | undefined;
}

/** Claims laid over the defaults; `undefined` takes one out. */
export type TestClaims = Readonly<Record<string, unknown>>;

/** Issuer, audience and time of a token. */
export interface TokenOrigin {
  readonly issuer: string;
  readonly audience: string | readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The claims of RFC 9068 §2.2, under the caller's. */
export function claimsOf(origin: TokenOrigin, claims: TestClaims, expiresIn: Duration = '5m'): TestClaims {
  return {
    iss: origin.issuer,
    aud: origin.audience,
    sub: 'test-subject',
    client_id: 'test-client',
    iat: Math.floor(origin.now / 1000),
    exp: Math.floor((origin.now + milliseconds(expiresIn)) / 1000),
    jti: randomUUID(),
    ...claims,
  };
}

/** The JOSE header; `keyId` is its `kid` when the caller passes none. */
export function headerOf(options: SignOptions, alg: string, keyId: string): { alg: string } {
  const typ = options.typ === undefined ? 'at+jwt' : options.typ;
  const kid = 'kid' in options ? options.kid : keyId;
  return { alg, ...(typ === null ? {} : { typ }), ...(kid === undefined ? {} : { kid }), ...options.header };
}

/** A JWS in compact form; members that are `undefined` are left out. */
export function signCompact(claims: TestClaims, header: { alg: string }, key: KeyInput): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .sign(key, { crit: extensionsIn(header) });
}

/** Milliseconds of a duration, which may be negative here. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number') return duration;
  const isNegative = duration.startsWith('-');
  const parsed = parseDuration(isNegative ? duration.slice(1) : duration);
  if (parsed === undefined) {
    throw new Error(
      `TestIssuer cannot read the duration "${duration}": give milliseconds or a string such as '5m'`,
    );
  }
  return isNegative ? -parsed : parsed;
}

/** jose refuses to write extensions that are not listed here. */
function extensionsIn(header: object): Record<string, boolean> {
  const names: unknown = 'crit' in header ? header.crit : [];
  if (!Array.isArray(names)) return {};
  return Object.fromEntries(names.map((name: unknown) => [String(name), false]));
}
