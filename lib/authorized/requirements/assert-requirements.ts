import { withFixedText } from '../../errors/auth.error.js';
import { isThenable } from '../../authentication/thenable.js';
import type { RequirementCheck, RequirementSubject } from './requirement-kind.js';

/**
 * Runs the checks in their order; at once where none has to be awaited.
 *
 * @param checks all those of the handler
 * @param pending those of them that have not run
 * @throws {AuthError} of the first check that is not met
 */
export function assertRequirements(
  checks: readonly RequirementCheck[],
  subject: RequirementSubject,
  pending = checks,
): void | Promise<void> {
  for (const [index, check] of pending.entries()) {
    const isMet = check.isMet(subject);
    if (isThenable(isMet))
      return isMet.then((later) => {
        if (!later) throw withFixedText(check.denial(checks));
        return assertRequirements(checks, subject, pending.slice(index + 1));
      });
    if (!isMet) throw withFixedText(check.denial(checks));
  }
}
