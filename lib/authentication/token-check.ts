import { withFixedText } from '../errors/auth.error.js';
import { TokenError } from '../errors/token.errors.js';
import { isPresent } from '../token/parse/claim.js';
import type { Claims, TokenHeader } from '../token/unverified-token.js';
import type { Credentials } from './credentials.js';

/** A token whose signature and claims have been verified, as one operation presents it. */
export interface PresentedToken {
  /** As it was sent; never to be logged. */
  readonly token: string;
  /** Of `Authorization`, in lower case: `bearer`, or one that a check has registered. */
  readonly scheme: string;
  readonly claims: Claims;
  readonly header: TokenHeader;
  /** The issuer's `name`. */
  readonly issuer: string;
  readonly credentials: Credentials;
}

/**
 * A check that runs on every operation, also with a token whose signature is known from the cache: proofs of possession,
 * client certificates, revocation. It runs after the signature and the claims, and before `validate`. Registered by the
 * option `extensions`; without any, requests pay nothing for the seam.
 */
export interface TokenCheck {
  /** Schemes of `Authorization` beside `bearer` that it accepts, in lower case: `['dpop']`. */
  readonly schemes?: readonly string[];
  /**
   * Members of `cnf` (RFC 7800) that it proves: `['jkt']`. A bound token is refused unless a check proves each member
   * that this library knows of, and at least one.
   */
  readonly confirms?: readonly string[];
  /**
   * Throws to refuse the token. A promise only where something has to be awaited: everything waits for it.
   *
   * @throws {AuthError} the refusal; other errors pass through as faults
   */
  check(presented: PresentedToken): void | Promise<void>;
}

/** RFC 9449 §6.1, RFC 8705 §3.1, RFC 7800 §3: a token with one of these must not be accepted without its proof. */
const KNOWN_CONFIRMATIONS: ReadonlySet<string> = new Set(['jkt', 'x5t#S256', 'jwk', 'jwe', 'kid', 'jku']);

/** The checks of one application. */
export class TokenChecks {
  readonly #checks: readonly TokenCheck[];
  readonly #confirms: ReadonlySet<string>;
  /** In lower case. */
  readonly schemes: ReadonlySet<string>;
  readonly isEmpty: boolean;

  constructor(checks: readonly TokenCheck[]) {
    this.#checks = checks;
    this.#confirms = new Set(checks.flatMap(({ confirms }) => confirms ?? []));
    this.schemes = new Set(['bearer', ...checks.flatMap(({ schemes }) => schemes ?? [])]);
    this.isEmpty = checks.length === 0;
  }

  /**
   * Refuses a bound token whose proof no check can judge (RFC 9449 §7.2).
   *
   * @throws {TokenError}
   */
  assertConfirmable(claims: Claims): void {
    if (!isPresent(claims['cnf'])) return;
    const members = membersOf(claims['cnf']);
    const isProven = members.some((name) => this.#confirms.has(name));
    const isUnproven = members.some((name) => KNOWN_CONFIRMATIONS.has(name) && !this.#confirms.has(name));
    if (isProven && !isUnproven) return;
    throw withFixedText(
      new TokenError(
        'AUTH_TOKEN_SENDER_CONSTRAINED',
        'The token is bound to a key or certificate, and no check of its proof is switched on',
      ),
    );
  }

  /** Runs every check in its order. @throws {AuthError} */
  async run(presented: PresentedToken): Promise<void> {
    for (const check of this.#checks) await check.check(presented);
  }
}

function membersOf(cnf: unknown): readonly string[] {
  return typeof cnf === 'object' && cnf !== null ? Object.keys(cnf) : [];
}
