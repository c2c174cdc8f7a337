import type { ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Response } from 'express';
import { JwksRateLimitError } from 'jwks-rsa';
import { refusedByHeader } from '../traffic/ask.js';

/** What refuses a token when jwks-rsa may not fetch the key set again in this minute. */
export const rateLimit = 'rate limit';

/**
 * `AuthGuard('jwt')`, which answers 401 for every reason alike. Only for the playground it also names the rate limit, in a
 * header, where that is the reason.
 */
export class JwtGuard extends AuthGuard('jwt') {
  override handleRequest<User>(error: unknown, user: User, reason: unknown, context: ExecutionContext): User {
    if (reason instanceof JwksRateLimitError) {
      context.switchToHttp().getResponse<Response>().setHeader(refusedByHeader, rateLimit);
    }
    return super.handleRequest(error, user, reason, context);
  }
}
