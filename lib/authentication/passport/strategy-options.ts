import type { AuthError } from '../../errors/auth.error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { MetadataUnavailableError } from '../../errors/metadata.errors.js';
import { ReplayStoreUnavailableError } from '../../errors/request.errors.js';
import type { Authenticator } from '../authenticator.js';

/** The name the strategy is registered under in passport. */
export const STRATEGY_NAME = 'resilient-jwt';

/** How a guard hands its own module's `Authenticator` to the strategy, through passport's options. */
export const AUTHENTICATOR = Symbol('nestjs-resilient-auth:authenticator');

/** What the strategy needs of an {@link Authenticator}. */
export type RequestAuthenticator = Pick<Authenticator, 'answerTo'>;

/** What passport calls `authenticate` with. */
export interface StrategyOptions {
  readonly [AUTHENTICATOR]?: RequestAuthenticator;
}

/** What the strategy needs of the registry, for guards of the user's own. */
export interface StrategyContext {
  /** The one of the only module in the process. @throws {AuthConfigurationError} when there are several */
  sole(): RequestAuthenticator;
  /** What a foreign guard should throw for an error of ours. */
  toException(error: AuthError): Error;
}

/** Whether an error says nothing about the token: it could not be checked. passport must not call that a refusal. */
export function isFault(error: AuthError): boolean {
  return (
    error instanceof MetadataUnavailableError ||
    error instanceof ReplayStoreUnavailableError ||
    error instanceof AuthConfigurationError
  );
}
