import type { ExecutionContext } from '@nestjs/common';
import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import { requirementsFor } from '../requirements/requirements.js';
import type { AuthContext } from './auth-context.js';
import { httpTokenOf, httpUserOf } from './http.context.js';

/**
 * The contexts whose guard has accepted a call of a class. A parameter decorator has no injection, so this is its way
 * from a call to the context of its application: with the same class in two applications each context is searched, and
 * each knows its own operations only. Weak: the entry ends with the class.
 */
const contextsOf = new WeakMap<object, Set<AuthContext>>();

/** Keeps what was accepted for the call, where {@link userOf} and {@link tokenOf} find it. */
export function attach(
  auth: AuthContext,
  context: ExecutionContext,
  token: AuthenticatedToken | undefined,
  user: unknown,
): void {
  auth.attach(context, token, user);
  // A request is found through the arguments alone.
  if (auth.type === 'http') return;
  const controller = context.getClass();
  const contexts = contextsOf.get(controller);
  if (contexts) contexts.add(auth);
  else contextsOf.set(controller, new Set([auth]));
}

/** The user that was accepted for a call; `undefined` for a handler that is open. */
export function userOf(context: ExecutionContext): unknown {
  return context.getType() === 'http'
    ? httpUserOf(context)
    : firstOf(context, (auth) => auth.userOf(context));
}

/** The token that was accepted for a call; `undefined` for a handler that is open. */
export function tokenOf(context: ExecutionContext): AuthenticatedToken | undefined {
  return context.getType() === 'http'
    ? httpTokenOf(context)
    : firstOf(context, (auth) => auth.tokenOf(context));
}

function firstOf<T>(context: ExecutionContext, read: (auth: AuthContext) => T): T | undefined {
  // The object that holds the token may be that of a connection or of several fields: an open handler shares it.
  if (requirementsFor(context.getClass(), context.getHandler()).isAnonymous) return undefined;
  for (const auth of contextsOf.get(context.getClass()) ?? []) {
    const found = auth.type === context.getType() ? read(auth) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}
