import { AccessDeniedError } from '../../../errors/access.errors.js';
import { isWordList, requirementKind } from '../requirement-kind.js';

export interface RolesOption {
  /**
   * The token must carry at least one of these, of each list on method, class and base classes; otherwise 403
   * `AUTH_ROLE_MISSING`. Default none.
   */
  roles?: readonly string[] | undefined;
}

export const rolesKind = requirementKind<readonly string[], readonly string[]>({
  takes: 'a list of at least one non-empty string',
  validate: isWordList,
  combine: (lists) => lists,
  isMet: (roles, { token }) => roles.some((role) => token.roles.includes(role)),
  denial: () => new AccessDeniedError('AUTH_ROLE_MISSING', 'The token has none of the required roles'),
});
