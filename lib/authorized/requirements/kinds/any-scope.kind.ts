import { AccessDeniedError } from '../../../errors/access.errors.js';
import { requiredScopes } from '../required-scopes.js';
import { requirementKind } from '../requirement-kind.js';
import { holdsScope, isScopeList, SCOPE_LIST } from './scopes.kind.js';

export interface AnyScopeOption {
  /**
   * The token must carry at least one of these, of each list on method, class and base classes; otherwise 403
   * `AUTH_SCOPE_MISSING`. Default none.
   */
  anyScope?: readonly string[] | undefined;
}

/** Each list by itself: one scope of every list is needed. */
export const anyScopeKind = requirementKind<readonly string[], readonly string[]>({
  takes: SCOPE_LIST,
  validate: isScopeList,
  combine: (lists) => lists,
  isMet: (scopes, subject) => scopes.some((scope) => holdsScope(scope, subject)),
  denial: (_, checks) =>
    new AccessDeniedError(
      'AUTH_SCOPE_MISSING',
      'The token has none of the accepted scopes',
      requiredScopes(checks),
    ),
});
