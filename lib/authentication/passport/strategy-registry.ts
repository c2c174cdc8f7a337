import passport from 'passport';
import type { AuthError } from '../../errors/auth.error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { STRATEGY_NAME, type RequestAuthenticator, type StrategyContext } from './strategy-options.js';

/** The modules alive in this process: passport's registry is global, so its keeper has to be, too. */
const alive = new Set<RequestAuthenticator>();

function sole(): RequestAuthenticator {
  const [first, ...others] = alive;
  if (first && others.length === 0) return first;
  throw new AuthConfigurationError(
    first
      ? `AuthGuard('${STRATEGY_NAME}') does not know which of ${alive.size} AuthModules in this process it belongs to; use AuthorizedGuard, or extend it`
      : `AuthGuard('${STRATEGY_NAME}') needs an initialized AuthModule`,
  );
}

/**
 * Registers the strategy while at least one module needs it. passport-jwt is loaded here: with jsonwebtoken, which comes
 * with it, it would take a fifth of the import time of this library.
 */
export async function registerStrategy(
  authenticator: RequestAuthenticator,
  toException: (error: AuthError) => Error,
): Promise<void> {
  const { ResilientJwtStrategy } = await import('./jwt.strategy.js');
  const context: StrategyContext = { sole, toException };
  if (alive.size === 0) passport.use(STRATEGY_NAME, new ResilientJwtStrategy(context));
  alive.add(authenticator);
}

/**
 * Whether the module of an authenticator has been initialized, and is not closed.
 */
export function isRegistered(authenticator: RequestAuthenticator): boolean {
  return alive.has(authenticator);
}

/** Restores the registry when no application needs the strategy any more. */
export function unregisterStrategy(authenticator: RequestAuthenticator): void {
  if (alive.delete(authenticator) && alive.size === 0) passport.unuse(STRATEGY_NAME);
}
