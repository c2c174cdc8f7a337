import { TokenRejectedError } from '../errors/token.errors.js';
import { rolesOf, scopesOf } from './scopes-and-roles.js';
import type { VerifiedToken } from '../token/verified-token.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { assertNotAwaited, isThenable } from './thenable.js';

/** What comes of a token: at once where nothing has to be waited for. */
export type Answer = AuthenticatedToken | Promise<AuthenticatedToken>;

/** A verified token, and what came of it where that follows from the claims alone. */
export interface KnownToken extends VerifiedToken {
  answer: AuthenticatedToken | undefined;
}

/**
 * What the application has to say. Its own functions are asked every time: they may look elsewhere than at the token.
 * What follows from the claims alone is kept.
 *
 * @throws {TokenRejectedError} when `validate` makes nothing of the token
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
  const { scopes, roles } = known.issuer;
  if (scopes === scopesOf && roles === rolesOf) known.answer = answer;
  return answer;
}

function accept({ claims, header, issuer }: VerifiedToken, user: unknown): AuthenticatedToken {
  if (!user) throw new TokenRejectedError();
  const scopes = frozen(issuer.scopes(claims, user), 'scopes');
  const roles = frozen(issuer.roles(claims, user), 'roles');
  return Object.freeze({ claims, header, issuer: issuer.name, scopes, roles, user });
}

/** A list that nobody can change any more; one that nobody can change already need not be copied. */
function frozen(list: readonly string[], option: string): readonly string[] {
  assertNotAwaited(list, option);
  return Array.isArray(list) && Object.isFrozen(list) ? list : Object.freeze([...list]);
}
