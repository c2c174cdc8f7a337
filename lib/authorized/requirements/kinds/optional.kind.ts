import type { RequirementKind } from '../requirement-kind.js';

export interface OptionalOption {
  /**
   * `true`: a request without credentials goes on without a user, one with bad credentials is refused all the same. Cannot
   * stand with requirements. Default `false`.
   */
  optional?: boolean | undefined;
}

/** Requires nothing of a token; `Requirements.isOptional` says what follows from it. */
export const optionalKind: RequirementKind = {
  takes: 'true or false',
  isValid: (value) => typeof value === 'boolean',
  checksFor: () => [],
};
