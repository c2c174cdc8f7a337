import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';

/** Where passport leaves the refusal of our strategy, and nothing of a fault. */
interface RefusedRequest {
  authInfo?: unknown;
}

/**
 * Goes on without a token where a subclass has taken its refusal and thrown nothing, as for a route that anyone may
 * call. Only a refusal: a token that could not be checked is none, and neither is another strategy's user.
 *
 * @param answer what the operation was answered with; `undefined` when nothing of ours was refused
 * @param isOptional whether the handler requires nothing of a token
 * @throws the refusal, unless it was taken and the handler is optional
 */
export async function assertTaken(
  answer: AuthenticatedToken | Promise<AuthenticatedToken> | undefined,
  request: RefusedRequest,
  isOptional: boolean,
): Promise<void> {
  const refusal = await refusalIn(answer);
  const isTaken = refusal instanceof AuthError && request.authInfo === refusal;
  if (!isTaken || !isOptional) throw refusal;
  request.authInfo = undefined;
}

/** @throws {AuthConfigurationError} when there is none */
async function refusalIn(
  answer: AuthenticatedToken | Promise<AuthenticatedToken> | undefined,
): Promise<unknown> {
  try {
    await answer;
  } catch (refusal) {
    return refusal;
  }
  throw new AuthConfigurationError('The request was authenticated by another strategy than resilient-jwt');
}
