import type { ExecutionContext } from '@nestjs/common';
import type { Credentials } from '../../authentication/credentials.js';
import type { AuthError } from '../../errors/auth.error.js';
import type { Requirements } from '../requirements/requirements.js';
import type { AuthAnswer } from './auth-answer.js';

/** What was refused, for those who add to its answer. */
export interface Refusal {
  readonly error: AuthError;
  readonly context: ExecutionContext;
  /** Of the handler that was called. */
  readonly requirements: Requirements;
  /** `undefined` when they are malformed. */
  readonly credentials: Credentials | undefined;
}

/**
 * Adds to the answer of a refusal: parameters such as `resource_metadata` to its challenges, a challenge of another
 * scheme, a header. Returns a new answer; must not throw. Registered by the option `extensions`, and called in that order.
 * RFC 6750 §3, RFC 9449 §7.1: an error stands only in the challenge of the scheme that was used, and none without credentials.
 */
export type AnswerExtension = (answer: AuthAnswer, refusal: Refusal) => AuthAnswer;
