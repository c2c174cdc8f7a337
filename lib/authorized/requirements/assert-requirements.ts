import { isThenable } from '../../authentication/thenable.js';
import type { RequirementCheck, RequirementSubject } from './requirement-kind.js';

/**
 * Runs the checks in their order; at once where none has to be awaited.
 *
 * @throws {AuthError} of the first check that is not met
 */
export function assertRequirements(
  checks: readonly RequirementCheck[],
  subject: RequirementSubject,
): void | Promise<void> {
  for (const [index, check] of checks.entries()) {
    const isMet = check.isMet(subject);
    if (isThenable(isMet)) return assertLater(isMet, check, checks.slice(index + 1), subject);
    if (!isMet) throw check.denial();
  }
}

async function assertLater(
  isMet: PromiseLike<boolean>,
  check: RequirementCheck,
  others: readonly RequirementCheck[],
  subject: RequirementSubject,
): Promise<void> {
  if (!(await isMet)) throw check.denial();
  await assertRequirements(others, subject);
}
