import { requirementKind } from '../requirement-kind.js';
import { AccessDeniedError } from '../../../errors/access.errors.js';

export interface OptionalOption {
  /**
   * `true`: a request without credentials goes on without a user, one with bad credentials is refused all the same. Cannot
   * stand with requirements. Default `false`.
   */
  optional?: boolean | undefined;
}

/** Requires nothing of a token; `Requirements.isOptional` says what follows from it. */
export const optionalKind = requirementKind<boolean, never>({
  takes: 'true or false',
  validate: (value) => typeof value === 'boolean',
  combine: () => [],
  isMet: () => true,
  denial: () => new AccessDeniedError('AUTH_POLICY_REFUSED', 'The handler requires nothing'),
});
