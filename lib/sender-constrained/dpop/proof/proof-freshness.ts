import { ProofError } from '../../../errors/request.errors.js';
import type { ResolvedDpopOptions } from '../../../options/resolved-options.js';
import { Nonces } from './nonces.js';
import type { ProofClaims } from './parse-proof.js';

/** Milliseconds by which a client's clock may be wrong, either way, when a nonce shows that its proof is fresh. */
const CLOCK_ERROR_WITH_NONCE = 3_600_000;

/** A proof that is fresh enough. */
export interface Freshness {
  /** Milliseconds since the epoch; from then on the proof would be refused. */
  readonly until: number;
  /** To be sent with the answer. */
  readonly nextNonce: string | undefined;
}

type Limits = Pick<ResolvedDpopOptions, 'proofLifetime' | 'clockTolerance' | 'nonce'>;

/** Judges the age of proofs (RFC 9449 §4.3, 10 and 11). */
export class ProofFreshness {
  readonly #limits: Limits;
  readonly #nonces: Nonces | undefined;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#nonces = limits.nonce ? new Nonces(limits.nonce) : undefined;
  }

  /** The nonce that proofs have to carry now; `undefined` when none is required. */
  nonceAt(now: number): string | undefined {
    return this.#nonces?.current(now);
  }

  /**
   * @param now milliseconds since the epoch
   * @throws {ProofError} too old, from the future, or without a nonce that is accepted
   */
  judge({ iat, nonce }: Pick<ProofClaims, 'iat' | 'nonce'>, now: number): Freshness {
    const accepted = this.#nonces && (nonce === undefined ? undefined : this.#nonces.find(nonce, now));
    if (this.#nonces && !accepted)
      throw new ProofError('AUTH_PROOF_NONCE_REQUIRED', 'The proof carries no nonce that is accepted');
    const until = this.#assertAge(iat * 1000, now, accepted ? CLOCK_ERROR_WITH_NONCE : 0);
    if (!accepted) return { until, nextNonce: undefined };
    return {
      until: Math.min(until, accepted.until),
      nextNonce: accepted.isAging ? this.#nonces?.current(now) : undefined,
    };
  }

  /** @returns when it is too old */
  #assertAge(issuedAt: number, now: number, clockError: number): number {
    const { proofLifetime, clockTolerance } = this.#limits;
    const tolerance = clockTolerance + clockError;
    const until = issuedAt + proofLifetime + tolerance;
    if (now >= until) throw invalid('The proof is older than proofLifetime and clockTolerance allow');
    if (now < issuedAt - tolerance) throw invalid('The proof was made in the future');
    return until;
  }
}

function invalid(message: string): ProofError {
  return new ProofError('AUTH_PROOF_INVALID', message);
}
