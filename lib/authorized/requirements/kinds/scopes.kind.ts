import { isScope } from '../../../authentication/scopes-and-roles.js';
import { AccessDeniedError } from '../../../errors/access.errors.js';
import { requiredScopes } from '../required-scopes.js';
import { requirementKind, type RequirementSubject } from '../requirement-kind.js';

export interface ScopesOption {
  /**
   * The token must carry all of these, or scopes that imply them; otherwise 403 `AUTH_SCOPE_MISSING`. Those of method,
   * class and base classes add up. At least one, without spaces. Default none.
   */
  scopes?: readonly string[] | undefined;
}

/** Ends the sentence "@Authorized({ name }) takes …". */
export const SCOPE_LIST =
  'a list of at least one scope: one per string, without spaces, quotes and backslashes';

/** Lists add up: one challenge names all scopes that the operation needs. */
export const scopesKind = requirementKind<readonly string[], readonly string[]>({
  takes: SCOPE_LIST,
  validate: isScopeList,
  combine: (lists) => (lists.length > 0 ? [[...new Set(lists.flat())]] : []),
  isMet: (scopes, subject) => scopes.every((scope) => holdsScope(scope, subject)),
  denial: (_, checks) =>
    new AccessDeniedError('AUTH_SCOPE_MISSING', 'The token lacks a required scope', requiredScopes(checks)),
});

/** Whether the token carries a scope, or one that implies it by the option `scopeImplies`. */
export function holdsScope(scope: string, { token, impliedBy }: RequirementSubject): boolean {
  if (token.scopes.includes(scope)) return true;
  return impliedBy.get(scope)?.some((wider) => token.scopes.includes(wider)) ?? false;
}

export function isScopeList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every(isScope);
}
