import type { ExecutionContext } from '@nestjs/common';
import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import type { Credentials } from '../../authentication/credentials.js';

/** A call with a token that was accepted and meets the requirements of its handler. */
export interface AcceptedCall {
  readonly token: AuthenticatedToken;
  /** As it was sent; never to be logged. */
  readonly rawToken: string;
  readonly context: ExecutionContext;
  readonly credentials: Credentials;
}
