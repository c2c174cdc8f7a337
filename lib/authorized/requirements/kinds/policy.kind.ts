import { AccessDeniedError } from '../../../errors/access.errors.js';
import type { Policy } from '../authorization-policy.js';
import { isAllowedBy } from '../policies.js';
import { requirementKind } from '../requirement-kind.js';

export interface PolicyOption {
  /**
   * A function, or an injectable class that the handler's module can inject. Anything but exactly `true` is 403
   * `AUTH_POLICY_REFUSED`. Default none.
   */
  policy?: Policy | undefined;
}

/** Each policy by itself, nearest first; the most expensive kind, so the last in the list. */
export const policyKind = requirementKind<Policy, Policy>({
  takes: 'a function or an injectable class',
  validate: (value): value is Policy => typeof value === 'function',
  combine: (policies) => policies,
  isMet: isAllowedBy,
  denial: ({ name }) =>
    new AccessDeniedError('AUTH_POLICY_REFUSED', `The policy ${name || '(anonymous)'} refused`),
});
