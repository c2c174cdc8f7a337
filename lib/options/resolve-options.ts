import * as v from 'valibot';
import {
  duplicates,
  problemsOfFeatures,
  problemsOfIssuer,
  type CheckedOptions,
} from './cross-field-rules.js';
import { problemsOf } from './problems.js';
import { resolveIssuer } from './resolve-issuer.js';
import { extrasSchema, inlineOptionsSchema, listedOptionsSchema } from './schema.js';
import type { ResolvedAuthOptions } from './resolved-options.js';
import { problemsOfProtectedResource } from './module/protected-resource-rules.js';
import { scopesThatImply } from './module/scope-implications.js';
import { AuthConfigurationError, type ConfigurationProblem } from '../errors/configuration.error.js';

/**
 * Checks all options at once and fills in every default.
 *
 * @param options what the user wrote, or what the user's factory returned
 * @param extras the extras beside it
 * @throws {AuthConfigurationError} with every problem found
 */
export function resolveAuthOptions(options: unknown, extras: unknown): ResolvedAuthOptions {
  const problems = [...problemsOf(v.safeParse(extrasSchema, extras).issues)];
  const checked = check(options, problems);
  const issuers = checked?.issuers.map((issuer, index) => {
    problems.push(...problemsOfIssuer(issuer, checked.isInline ? '' : `issuers[${index}].`));
    return resolveIssuer(issuer);
  });
  if (issuers) problems.push(...duplicates(issuers));
  if (checked) problems.push(...problemsOfFeatures(checked), ...problemsOfProtectedResource(checked));
  if (problems.length > 0 || !checked || !issuers) throw new AuthConfigurationError(problems);
  const { jwtFromRequest, tokenMaxLength, realm, tokenCache } = checked.module;
  const { contexts, otherContexts, extensions, publicUrl, scopeImplies, dpop, mtls } = checked.module;
  return Object.freeze({
    jwtFromRequest,
    tokenMaxLength,
    realm,
    tokenCache: tokenCache === false ? undefined : Object.freeze(tokenCache),
    contexts: Object.freeze([...contexts]),
    otherContexts,
    extensions: Object.freeze([...extensions]),
    publicUrl,
    protectedResource: checked.module.protectedResource,
    impliedBy: scopesThatImply(scopeImplies),
    mtls: mtls && Object.freeze(mtls),
    dpop: dpop && Object.freeze({ ...dpop, replay: dpop.replay }),
    issuers: Object.freeze(issuers),
  });
}

/** The extras with their defaults, for the module definition; {@link resolveAuthOptions} reports their problems. */
export function resolveExtras(extras: { isGlobal?: unknown; secureByDefault?: unknown }): {
  isGlobal: boolean;
  secureByDefault: boolean;
} {
  return { isGlobal: extras.isGlobal !== false, secureByDefault: extras.secureByDefault === true };
}

function check(options: unknown, problems: ConfigurationProblem[]): CheckedOptions | undefined {
  const isListed =
    typeof options === 'object' && options !== null && 'issuers' in options && options.issuers !== undefined;
  if (isListed) {
    const { success, output, issues } = v.safeParse(listedOptionsSchema, options);
    problems.push(...problemsOf(issues));
    return success ? { module: output, issuers: output.issuers, isInline: false } : undefined;
  }
  const { success, output, issues } = v.safeParse(inlineOptionsSchema, options);
  problems.push(...problemsOf(issues));
  return success ? { module: output, issuers: [output], isInline: true } : undefined;
}
