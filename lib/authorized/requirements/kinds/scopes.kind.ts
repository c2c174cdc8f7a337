import { AccessDeniedError } from '../../../errors/access.errors.js';
import { requiredScopes } from '../required-scopes.js';
import { isWordList, requirementKind, type RequirementSubject } from '../requirement-kind.js';

export interface ScopesOption {
  /** The token must carry all of these. */
  scopes?: readonly string[] | undefined;
}

/** RFC 6749 §3.3: what a token can hold as one scope, and a challenge can name (RFC 6750 §3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Lists add up: one challenge names all scopes that the operation needs. */
export const scopesKind = requirementKind<readonly string[], readonly string[]>({
  takes: 'a list of at least one scope: one per string, without spaces, quotes and backslashes',
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
  return isWordList(value) && value.every((scope) => SCOPE.test(scope));
}
