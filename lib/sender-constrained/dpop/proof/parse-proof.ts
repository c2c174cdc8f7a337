import type { HttpRequestLike } from '../../../authentication/credentials.js';
import { rawHeaderValues } from '../../../authentication/http/raw-header.js';
import { ProofError } from '../../../errors/request.errors.js';
import { splitJws } from '../../../token/parse/compact-jws.js';
import { parseStrictly } from './strict-part.js';

/** Characters of a proof. With an RSA key of 4096 bits and a signature of the same length it has some 1,700. */
const MAX_LENGTH = 4096;

/** A proof as it was sent, in its parts. */
export interface ProofParts {
  readonly text: string;
  /** Still encoded. */
  readonly header: string;
  readonly payload: string;
}

/** What a proof says, each of the right type (RFC 9449 §4.2). Other claims are ignored. */
export interface ProofClaims {
  readonly jti: string;
  readonly htm: string;
  readonly htu: string;
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly ath: string;
  readonly nonce: string | undefined;
}

/**
 * Reads the one proof of a request, from the list of headers as it was sent (RFC 9449 §4.3, 1 and 2).
 *
 * @throws {ProofError} none, several, or one that is not a compact JWS within the bounds
 */
export function proofOf(http: HttpRequestLike): ProofParts {
  const [text, ...others] = rawHeaderValues(http, 'dpop');
  if (text === undefined)
    throw new ProofError('AUTH_PROOF_MISSING', 'The request has a DPoP token and no DPoP header');
  if (others.length > 0) throw invalid('The request has several DPoP headers; send one');
  if (text.length > MAX_LENGTH) throw invalid(`The proof is longer than ${MAX_LENGTH} characters`);
  try {
    const [header, payload] = splitJws(text);
    return { text, header, payload };
  } catch (cause) {
    throw invalid('The proof is not a compact JWS of three canonical base64url parts', cause);
  }
}

/** Parses the claims (RFC 9449 §4.3, 3). @throws {ProofError} one is missing or of a wrong type */
export function parseClaims(payload: string): ProofClaims {
  const { jti, htm, htu, iat, ath, nonce } = parseStrictly(payload, 'payload');
  if (!isText(jti)) throw missing('jti');
  if (!isText(htm)) throw missing('htm');
  if (!isText(htu)) throw missing('htu');
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw missing('iat');
  if (!isText(ath)) throw missing('ath');
  return { jti, htm, htu, iat, ath, nonce: isText(nonce) ? nonce : undefined };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function missing(claim: string): ProofError {
  return invalid(`The claim ${claim} of the proof is missing or of a wrong type`);
}

function invalid(message: string, cause?: unknown): ProofError {
  return new ProofError('AUTH_PROOF_INVALID', message, { cause });
}
