import type { AuthAnswer } from '../authorized/answers/auth-answer.js';

/** What a client is sent of a refusal, in messages and as `data` of a socket.io `connect_error`. */
export interface Refusal {
  readonly status: 'error';
  readonly statusCode: number;
  readonly errorCode: string;
  readonly message: string;
  readonly retryAfter?: number;
  /** With `AUTH_PROOF_NONCE_REQUIRED`: what the proof of the next handshake has to carry. */
  readonly dpopNonce?: string;
}

/** Nothing of the token or of the client's message is in it. */
export function refusalOf({ error, status, description, headers, retryAfter }: AuthAnswer): Refusal {
  const dpopNonce = headers['DPoP-Nonce'];
  return {
    status: 'error',
    statusCode: status,
    errorCode: error.code,
    message: description,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(dpopNonce !== undefined && { dpopNonce }),
  };
}
