import { type TokenErrorCode, withFixedText } from '../../errors/auth.error.js';
import { TokenError } from '../../errors/token.errors.js';
import { explanation } from '../../errors/without-stack-trace.js';

/**
 * Builds the refusal of a token.
 *
 * @param message a fixed text
 * @param detail what an operator needs to find the mistake: configured and given values, quoted; the `cause`, for the
 *   application to log at debug level, and never part of an answer
 */
export function refusal(code: TokenErrorCode, message: string, detail?: string): TokenError {
  const options = detail === undefined ? undefined : { cause: explanation(detail) };
  return withFixedText(new TokenError(code, message, options));
}

/** Builds the refusal of a token that is not well-formed. */
export function malformed(message: string, detail?: string): TokenError {
  return refusal('AUTH_TOKEN_MALFORMED', message, detail);
}
