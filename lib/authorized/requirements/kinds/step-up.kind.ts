import { StepUpRequiredError } from '../../../errors/access.errors.js';
import { AuthConfigurationError } from '../../../errors/configuration.error.js';
import { parseDuration } from '../../../time/duration.js';
import { requiredScopes } from '../required-scopes.js';
import { requirementKind, type RequirementCheck } from '../requirement-kind.js';
import { isScopeList } from './scopes.kind.js';

export interface StepUpOptions {
  /**
   * Authentication context classes (`acr`), the preferred one first: the user must have logged in with one of them,
   * compared exactly (RFC 9470). Several `@Authorized` leave those that all of them name.
   */
  acr?: readonly string[] | undefined;
  /**
   * Age of the login by `auth_time`, as a string with its unit, at least `'1s'`; the issuer's `clockTolerance` is added
   * once. Of several `@Authorized` the shortest holds (RFC 9470).
   */
  maxAuthAge?: string | undefined;
}

/** RFC 9470 §3: `acr_values` separates them by spaces, so that they are written like scopes. */
export const acrKind = requirementKind<readonly string[], readonly string[]>({
  takes: 'a list of at least one acr value: one per string, without spaces, quotes and backslashes',
  validate: isScopeList,
  combine: (lists) => {
    const [nearest, ...others] = lists;
    return nearest === undefined ? [] : [intersection(nearest, others)];
  },
  isMet: (accepted, { token }) => {
    const acr: unknown = token.claims['acr'];
    return typeof acr === 'string' && accepted.includes(acr);
  },
  denial: (_, checks) => stepUpRequired('The login is of another acr than the handler accepts', checks),
});

/** In seconds. */
export const maxAuthAgeKind = requirementKind<string, number>({
  takes: "a string with its unit, at least '1s'",
  validate: (value): value is string => typeof value === 'string' && (parseDuration(value) ?? 0) >= 1000,
  combine: (ages) => {
    const shortest = Math.min(...ages.map((age) => parseDuration(age) ?? 0));
    return ages.length > 0 ? [Math.floor(shortest / 1000)] : [];
  },
  isMet: (maxAge, { token, clock, clockTolerances }) => {
    const loggedIn: unknown = token.claims['auth_time'];
    if (typeof loggedIn !== 'number' || !Number.isFinite(loggedIn)) return false;
    const tolerance = clockTolerances.get(token.issuer) ?? 0;
    const age = clock.now() / 1000 - loggedIn;
    // A login in the future says nothing about its age.
    return age <= maxAge + tolerance && age >= -tolerance;
  },
  denial: (_, checks) =>
    stepUpRequired('The login is older than the handler accepts, or the token has no auth_time', checks),
});

/** One challenge names everything (RFC 9470 §3): meeting a part of it would bring the user back for the rest. */
function stepUpRequired(message: string, checks: readonly RequirementCheck[]): StepUpRequiredError {
  const acr = checks.find(({ name }) => name === 'acr')?.required;
  const maxAge = checks.find(({ name }) => name === 'maxAuthAge')?.required;
  return new StepUpRequiredError(message, {
    acrValues: isScopeList(acr) ? acr : [],
    maxAge: typeof maxAge === 'number' ? maxAge : undefined,
    requiredScopes: requiredScopes(checks),
  });
}

/** @throws {AuthConfigurationError} where nothing is left */
function intersection(nearest: readonly string[], others: readonly (readonly string[])[]): readonly string[] {
  const common = nearest.filter((value) => others.every((list) => list.includes(value)));
  if (common.length > 0) return common;
  throw new AuthConfigurationError(
    'The acr lists of its @Authorized decorators have no value in common, so that no login could meet them',
  );
}
