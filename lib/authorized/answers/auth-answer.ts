import { AccessDeniedError, StepUpRequiredError } from '../../errors/access.errors.js';
import type { AuthError, AuthErrorCode } from '../../errors/auth.error.js';
import { MetadataUnavailableError } from '../../errors/metadata.errors.js';
import { ProofError } from '../../errors/request.errors.js';

/** One entry of `WWW-Authenticate` (RFC 9110 §11.6.1). Names and values are sent as given, values in quotes. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** How a refusal is answered, before a transport gives it its own form. Nothing in it comes from the caller. */
export interface AuthAnswer {
  /** Its `code` is the public `errorCode`; its message is for the log, never for the caller. */
  readonly error: AuthError;
  /** The HTTP status, also where the transport has another notion of it. */
  readonly status: 400 | 401 | 403 | 500 | 503;
  /** A fixed text for the caller. */
  readonly description: string;
  /** One per scheme; none where credentials would not help. */
  readonly challenges: readonly Challenge[];
  /** Headers beside the challenges, for transports that have them. */
  readonly headers: Readonly<Record<string, string>>;
  /** With 503: whole seconds, at least 1. */
  readonly retryAfter?: number;
}

/** Works a challenge's parameters out; `undefined` where no challenge belongs to the answer. */
type ChallengeOf = (error: AuthError, description: string) => Readonly<Record<string, string>> | undefined;

interface AnswerRule {
  readonly status: AuthAnswer['status'];
  /** Fixed: nothing of the token, its claims or an upstream answer is ever reflected (RFC 6750 §3). */
  readonly description: string;
  readonly challenge: ChallengeOf;
  /** Of the challenge. Default `Bearer`. */
  readonly scheme?: 'DPoP';
}

const withoutChallenge: ChallengeOf = () => undefined;
// RFC 6750 §3: no error code when no credentials were sent.
const bare: ChallengeOf = () => ({});
const naming =
  (error: string): ChallengeOf =>
  (_, description) => ({ error, error_description: description });
const insufficientScope: ChallengeOf = (error) => ({
  error: 'insufficient_scope',
  scope: error instanceof AccessDeniedError ? error.requiredScopes.join(' ') : '',
});
/** RFC 9470 §3; the scopes beside it, so that one new login is enough. */
const insufficientAuthentication: ChallengeOf = (error, description) => {
  const { acrValues = [], maxAge, requiredScopes = [] } = error instanceof StepUpRequiredError ? error : {};
  return {
    error: 'insufficient_user_authentication',
    error_description: description,
    ...(acrValues.length > 0 && { acr_values: acrValues.join(' ') }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
    ...(requiredScopes.length > 0 && { scope: requiredScopes.join(' ') }),
  };
};

const badToken = (description: string): AnswerRule => ({
  status: 401,
  description,
  challenge: naming('invalid_token'),
});
/** RFC 9449 §7.1: `algs` names what a proof may be signed with. */
const badProof = (code: string, description: string): AnswerRule => ({
  status: 401,
  description,
  challenge: (error) => {
    const algs = error instanceof ProofError ? error.demand?.algorithms.join(' ') : undefined;
    return { error: code, error_description: description, ...(algs && { algs }) };
  },
  scheme: 'DPoP',
});
const denied = (description: string): AnswerRule => ({
  status: 403,
  description,
  challenge: withoutChallenge,
});

/** The one place that says how an error is answered (RFC 6750, RFC 9110). A code that is missing does not compile. */
const ANSWERS: Readonly<Record<AuthErrorCode, AnswerRule>> = {
  AUTH_TOKEN_MISSING: { status: 401, description: 'Authentication is required', challenge: bare },
  AUTH_REQUEST_INVALID: {
    status: 400,
    description: 'The credentials of the request are malformed',
    challenge: naming('invalid_request'),
  },
  AUTH_TOKEN_MALFORMED: badToken('The access token is malformed'),
  AUTH_TOKEN_ALGORITHM_REFUSED: badToken('The signature algorithm of the access token is not accepted'),
  AUTH_TOKEN_TYPE_REFUSED: badToken('The token is not an accepted kind of access token'),
  AUTH_TOKEN_ISSUER_UNKNOWN: badToken('The issuer of the access token is not accepted'),
  AUTH_TOKEN_AUDIENCE_MISMATCH: badToken('The access token is meant for another audience'),
  AUTH_TOKEN_EXPIRED: badToken('The access token has expired'),
  AUTH_TOKEN_NOT_YET_VALID: badToken('The access token is not valid yet'),
  AUTH_TOKEN_CLAIM_INVALID: badToken('A claim of the access token is missing or invalid'),
  AUTH_TOKEN_SIGNATURE_INVALID: badToken('The signature of the access token is not valid'),
  AUTH_TOKEN_SENDER_CONSTRAINED: badToken(
    'The access token is bound to its sender and cannot be used as a bearer token',
  ),
  AUTH_CERTIFICATE_MISMATCH: badToken(
    'The access token does not belong to the client certificate of this connection',
  ),
  AUTH_TOKEN_REJECTED: badToken('The access token was rejected'),
  AUTH_PROOF_MISSING: badProof('invalid_dpop_proof', 'A proof of possession is required'),
  AUTH_PROOF_INVALID: badProof('invalid_dpop_proof', 'The proof of possession is not valid for this request'),
  AUTH_PROOF_REPLAYED: badProof('invalid_dpop_proof', 'The proof of possession has been used before'),
  AUTH_PROOF_NONCE_REQUIRED: badProof(
    'use_dpop_nonce',
    'The proof of possession must carry the nonce of the DPoP-Nonce header',
  ),
  AUTH_PROOF_KEY_MISMATCH: badProof(
    'invalid_token',
    'The access token is not bound to the key of the proof of possession',
  ),
  AUTH_SCOPE_MISSING: {
    status: 403,
    description: 'The access token lacks a required scope',
    challenge: insufficientScope,
  },
  AUTH_ROLE_MISSING: denied('A required role is missing'),
  AUTH_POLICY_REFUSED: denied('Access is denied by a policy'),
  AUTH_STEP_UP_REQUIRED: {
    status: 401,
    description: 'A stronger or more recent login is required',
    challenge: insufficientAuthentication,
  },
  AUTH_METADATA_UNAVAILABLE: {
    status: 503,
    description: 'The access token cannot be checked at the moment',
    challenge: withoutChallenge,
  },
  AUTH_REPLAY_STORE_UNAVAILABLE: {
    status: 503,
    description: 'The proof of possession cannot be checked at the moment',
    challenge: withoutChallenge,
  },
  AUTH_CONFIGURATION_INVALID: {
    status: 500,
    description: 'Authentication is not configured correctly',
    challenge: withoutChallenge,
  },
};

/** RFC 9111 §3.5: no shared cache may keep what was meant for one caller. */
const NO_STORE = { 'Cache-Control': 'no-store' };

/** Returns how an error is answered. */
export function answerTo(error: AuthError, realm: string | undefined): AuthAnswer {
  const { status, description, challenge, scheme = 'Bearer' } = ANSWERS[error.code];
  const parameters = challenge(error, description);
  const challenges = parameters
    ? [{ scheme, parameters: realm === undefined ? parameters : { realm, ...parameters } }]
    : [];
  const answer = { error, status, description, challenges, headers: headersOf(error) };
  return status === 503 ? { ...answer, retryAfter: retryAfterOf(error) } : answer;
}

function headersOf(error: AuthError): Readonly<Record<string, string>> {
  const nonce = error instanceof ProofError ? error.demand?.nonce : undefined;
  // RFC 9449 §8.2: a nonce must not be served again from a cache.
  return nonce === undefined ? NO_STORE : { ...NO_STORE, 'DPoP-Nonce': nonce };
}

/** One code of the table, for documents made of it. */
export interface DescribedCode {
  readonly code: AuthErrorCode;
  readonly description: string;
}

/** Returns the codes that are answered with a status, in the order of the table. */
export function codesWith(wanted: AuthAnswer['status']): readonly DescribedCode[] {
  return Object.entries(ANSWERS).flatMap(([code, { status, description }]) =>
    status === wanted && isCode(code) ? [{ code, description }] : [],
  );
}

/** The value of `WWW-Authenticate`; `undefined` without challenges. */
export function challengeHeader(challenges: readonly Challenge[]): string | undefined {
  return challenges.length > 0 ? challenges.map(textOf).join(', ') : undefined;
}

function isCode(code: string): code is AuthErrorCode {
  return Object.hasOwn(ANSWERS, code);
}

function textOf({ scheme, parameters }: Challenge): string {
  const list = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return list.length > 0 ? `${scheme} ${list.join(', ')}` : scheme;
}

function retryAfterOf(error: AuthError): number {
  return error instanceof MetadataUnavailableError ? error.retryAfter : 1;
}
