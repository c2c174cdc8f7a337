import { AccessDeniedError } from '../../../errors/access.errors.js';
import { isWordList, requirementKind } from '../requirement-kind.js';

export interface IssuersOption {
  /**
   * Only tokens of issuers with one of these names (`IssuerOptions.name`); others are 403 `AUTH_POLICY_REFUSED`. The boot
   * warns where no issuer has any of them. Default: every issuer.
   */
  issuers?: readonly string[] | undefined;
}

export const issuersKind = requirementKind<readonly string[], readonly string[]>({
  takes: 'a list of at least one non-empty string',
  validate: isWordList,
  combine: (lists) => lists,
  isMet: (names, { token }) => names.includes(token.issuer),
  denial: () =>
    new AccessDeniedError('AUTH_POLICY_REFUSED', 'Tokens of this issuer are not accepted on this route'),
});
