import { AuthError, type ProofErrorCode } from './auth.error.js';

/** The request carries no bearer token at all: 401 with a bare challenge. */
export class TokenMissingError extends AuthError {
  constructor() {
    super('AUTH_TOKEN_MISSING', 'The request carries no bearer token');
  }
}

/** The credentials are not of the form RFC 6750 §2.1 asks for: 400. */
export class RequestInvalidError extends AuthError {
  constructor(message: string) {
    super('AUTH_REQUEST_INVALID', message);
  }
}

/** What a client needs to know to send a proof that is accepted. */
export interface ProofDemand {
  /** The signature algorithms that are accepted. */
  readonly algorithms: readonly string[];
  /** With `AUTH_PROOF_NONCE_REQUIRED`: the nonce that the next proof has to carry. */
  readonly nonce?: string | undefined;
}

/** The proof of possession of a request is missing or bad (RFC 9449 §4.3, §7.1): 401. */
export class ProofError extends AuthError<ProofErrorCode> {
  /** Part of the challenge; absent where nothing is known of it. */
  readonly demand: ProofDemand | undefined;

  constructor(code: ProofErrorCode, message: string, options?: ErrorOptions & { demand?: ProofDemand }) {
    super(code, message, options);
    this.demand = options?.demand;
  }
}

/** Whether the proof is used for the first time could not be found out, so it is not accepted: 503 with `Retry-After`. */
export class ReplayStoreUnavailableError extends AuthError {
  constructor(message: string, options?: ErrorOptions) {
    super('AUTH_REPLAY_STORE_UNAVAILABLE', message, options);
  }
}
