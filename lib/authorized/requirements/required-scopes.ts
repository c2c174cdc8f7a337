import { isWordList, type RequirementCheck } from './requirement-kind.js';

/** The options of `@Authorized` that name scopes. */
const NAMES: ReadonlySet<string> = new Set(['scopes', 'anyScope']);

/**
 * Every scope that an operation names, each once: what one challenge lists, so that a client asks for all of them at once.
 *
 * @param checks all those of the handler
 */
export function requiredScopes(checks: readonly RequirementCheck[]): readonly string[] {
  const lists = checks.filter(({ name }) => NAMES.has(name)).map(({ required }) => required);
  return [...new Set(lists.filter(isWordList).flat())];
}
