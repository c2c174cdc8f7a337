import { AuthConfigurationError } from '../errors/configuration.error.js';
import { TokenRejectedError } from '../errors/token.errors.js';
import type { ResolvedIssuer } from '../options/resolved-options.js';
import type { VerifiedToken } from '../token/verified-token.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { assertNotAwaited, isThenable } from './thenable.js';

/** The outcome of a token; a promise only where something has to be awaited. */
export type Answer = AuthenticatedToken | Promise<AuthenticatedToken>;

/** A verified token, and its outcome where that follows from the claims alone. */
export interface KnownToken extends VerifiedToken {
  readonly issuer: ResolvedIssuer;
  answer: AuthenticatedToken | undefined;
}

/**
 * Applies the application's own functions. They run every time, since their result may depend on more than the token;
 * what follows from the claims alone is kept.
 *
 * @throws {TokenRejectedError} when `validate` returns nothing
 */
export function admit(known: KnownToken, request: unknown): Answer {
  const { claims, header, issuer } = known;
  if (!issuer.validate) return known.answer ?? keep(known, accept(known, claims));
  const user = issuer.validate(claims, { issuer: issuer.name, header, request });
  return isThenable(user)
    ? Promise.resolve(user).then((settled) => accept(known, settled))
    : accept(known, user);
}

function keep(known: KnownToken, answer: AuthenticatedToken): AuthenticatedToken {
  if (!known.issuer.hasOwnFunctions) known.answer = answer;
  return answer;
}

function accept({ claims, header, issuer }: KnownToken, user: unknown): AuthenticatedToken {
  if (!user) throw new TokenRejectedError();
  const scopes = frozen(issuer.scopes(claims, user), 'scopes');
  const roles = frozen(issuer.roles(claims, user), 'roles');
  return Object.freeze({ claims, header, issuer: issuer.name, scopes, roles, user });
}

/**
 * Copies a list unless it is frozen already.
 *
 * @throws {AuthConfigurationError} when a function of the application returned no list
 */
function frozen(list: readonly string[], option: string): readonly string[] {
  assertNotAwaited(list, option);
  if (!isList(list)) throw new AuthConfigurationError(`${option} must return a list of strings`);
  return Array.isArray(list) && Object.isFrozen(list) ? list : Object.freeze([...list]);
}

/** An array, a set or the like; a single string would be taken apart into its characters. */
function isList(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
