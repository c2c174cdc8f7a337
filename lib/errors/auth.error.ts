import { limitStackTraces } from './without-stack-trace.js';

/** Stable within a major version: for clients, log searches and dashboards. */
export type AuthErrorCode =
  | 'AUTH_TOKEN_MISSING'
  | 'AUTH_REQUEST_INVALID'
  | TokenErrorCode
  | ProofErrorCode
  | AccessErrorCode
  | 'AUTH_STEP_UP_REQUIRED'
  | 'AUTH_METADATA_UNAVAILABLE'
  | 'AUTH_REPLAY_STORE_UNAVAILABLE'
  | 'AUTH_CONFIGURATION_INVALID';

/** Why a token is not accepted; each is answered 401. */
export type TokenErrorCode =
  | 'AUTH_TOKEN_MALFORMED'
  | 'AUTH_TOKEN_ALGORITHM_REFUSED'
  | 'AUTH_TOKEN_TYPE_REFUSED'
  | 'AUTH_TOKEN_ISSUER_UNKNOWN'
  | 'AUTH_TOKEN_AUDIENCE_MISMATCH'
  | 'AUTH_TOKEN_EXPIRED'
  | 'AUTH_TOKEN_NOT_YET_VALID'
  | 'AUTH_TOKEN_CLAIM_INVALID'
  | 'AUTH_TOKEN_SIGNATURE_INVALID'
  | 'AUTH_TOKEN_SENDER_CONSTRAINED'
  | 'AUTH_CERTIFICATE_MISMATCH'
  | 'AUTH_TOKEN_REJECTED';

/** Why a proof of possession is not accepted; each is answered 401. */
export type ProofErrorCode =
  | 'AUTH_PROOF_MISSING'
  | 'AUTH_PROOF_INVALID'
  | 'AUTH_PROOF_REPLAYED'
  | 'AUTH_PROOF_NONCE_REQUIRED'
  | 'AUTH_PROOF_KEY_MISMATCH';

/** Why a valid token may not do this; each is answered 403. */
export type AccessErrorCode = 'AUTH_SCOPE_MISSING' | 'AUTH_ROLE_MISSING' | 'AUTH_POLICY_REFUSED';

/**
 * Root of every error this library throws on purpose. The message is for operators and never holds the token, the value
 * of a claim or key material; clients get a fixed text chosen by {@link code}. The `cause` of a refused token may quote
 * what an operator needs to find the mistake (`iss`, `aud`, `alg` …): log it at debug level, and never answer with it.
 * There is no stack trace, but for `AuthConfigurationError`: a trace would be most of what a refusal costs.
 */
export abstract class AuthError<Code extends AuthErrorCode = AuthErrorCode> extends Error {
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    const limit = limitStackTraces(0);
    try {
      super(message, options);
    } finally {
      limitStackTraces(limit);
    }
    this.code = code;
    this.name = new.target.name;
  }
}

/** Weakly: nothing outlives its request. */
const texts = new WeakSet<AuthError>();

/**
 * Marks an error whose message this library has written: a fixed text, with nothing of a request but what the options
 * name. Applications throw the same classes with messages of their own, which are never counted or logged.
 */
export function withFixedText<Refusal extends AuthError>(error: Refusal): Refusal {
  texts.add(error);
  return error;
}

/** The message of an error that {@link withFixedText} has marked. */
export function fixedTextOf(error: AuthError): string | undefined {
  return texts.has(error) ? error.message : undefined;
}
