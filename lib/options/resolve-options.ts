import * as v from 'valibot';
import { problemsOf, shorten } from './problems.js';
import {
  extrasSchema,
  inlineOptionsSchema,
  listedOptionsSchema,
  type CheckedIssuer,
  type CheckedModuleOptions,
} from './schema.js';
import type { ResolvedAuthOptions, ResolvedIssuer } from './resolved-options.js';
import { roleReader, scopeReader } from '../authentication/scopes-and-roles.js';
import { AuthConfigurationError, type ConfigurationProblem } from '../errors/configuration.error.js';
import { algorithmPolicy, type AlgorithmPolicy } from '../keys/algorithms.js';
import { addressesOf, listOf } from './metadata-addresses.js';
import { isAcceptableAddress } from '../metadata/fetch/parse-discovery.js';
import type { ResolvedMetadataOptions } from '../metadata/metadata-options.js';
import { mediaType } from '../token/parse/parse-token.js';
import { fillTenant, isIssuerTemplate } from '../token/trusted-issuer.js';

/**
 * Checks all options at once and fills in every default.
 *
 * @param options what the user wrote, or what the user's factory returned
 * @param extras what stands beside it
 * @throws {AuthConfigurationError} with every problem found
 */
export function resolveAuthOptions(options: unknown, extras: unknown): ResolvedAuthOptions {
  const problems = [...problemsOf(v.safeParse(extrasSchema, extras).issues)];
  const checked = check(options, problems);
  const issuers = checked?.issuers.map((issuer, index) => {
    problems.push(...contradictions(issuer, checked.isInline ? '' : `issuers[${index}].`));
    return resolveIssuer(issuer);
  });
  if (issuers) problems.push(...duplicates(issuers));
  if (problems.length > 0 || !checked || !issuers) throw new AuthConfigurationError(problems);
  const { jwtFromRequest, tokenMaxLength, realm, tokenCache, contexts, otherContexts, extensions } =
    checked.module;
  return Object.freeze({
    jwtFromRequest,
    tokenMaxLength,
    realm,
    tokenCache: tokenCache === false ? undefined : Object.freeze(tokenCache),
    contexts: Object.freeze([...contexts]),
    otherContexts,
    extensions: Object.freeze([...extensions]),
    issuers: Object.freeze(issuers),
  });
}

/** The extras as they are meant, for the module definition; their problems are told by {@link resolveAuthOptions}. */
export function resolveExtras(extras: { isGlobal?: unknown; secureByDefault?: unknown }): {
  isGlobal: boolean;
  secureByDefault: boolean;
} {
  return { isGlobal: extras.isGlobal !== false, secureByDefault: extras.secureByDefault === true };
}

interface Checked {
  readonly module: CheckedModuleOptions;
  readonly issuers: readonly CheckedIssuer[];
  readonly isInline: boolean;
}

function check(options: unknown, problems: ConfigurationProblem[]): Checked | undefined {
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

/** What no single field can tell. */
function contradictions(issuer: CheckedIssuer, prefix: string): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const tell = (option: string, given: unknown, allowed: string) =>
    problems.push({ option: `${prefix}${option}`, given: shorten(given), allowed });
  const { requireHttps } = issuer.metadata;
  const hint = requireHttps
    ? 'an https URL (plain http needs metadata.requireHttps: false)'
    : 'an https or http URL';
  const addresses = {
    issuer: issuer.issuer,
    metadataAddress: issuer.metadataAddress,
    jwksUri: issuer.jwksUri,
  };
  for (const [option, given] of Object.entries(addresses)) {
    for (const address of listOf(given))
      if (!isAcceptableAddress(address, requireHttps)) tell(option, address, hint);
  }
  if (/[?#]/.test(issuer.issuer))
    tell('issuer', issuer.issuer, 'a URL without query and fragment (RFC 8414 §2)');
  const isTemplate = isIssuerTemplate(issuer.issuer);
  if (isTemplate && issuer.metadataAddress === undefined && issuer.jwksUri === undefined) {
    tell('metadataAddress', undefined, 'required when issuer holds {tenantid}');
  }
  const hasTemplates = isTemplate || issuer.tokenIssuers?.some(isIssuerTemplate) === true;
  if (hasTemplates && issuer.tenants === undefined) {
    tell(
      'tenants',
      undefined,
      'with {tenantid}: a list of tenant ids, a function, or null to let in any tenant',
    );
  }
  if (!hasTemplates && issuer.tenants !== undefined)
    tell('tenants', issuer.tenants, 'only together with {tenantid}');
  return problems;
}

function duplicates(issuers: readonly ResolvedIssuer[]): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const names = new Set<string>();
  const owners = new Map<string, number>();
  for (const [index, { name, tokenIssuers }] of issuers.entries()) {
    if (names.has(name)) {
      problems.push({ option: `issuers[${index}].name`, given: shorten(name), allowed: 'a name of its own' });
    }
    names.add(name);
    for (const iss of tokenIssuers) {
      // However its placeholder is written, it stands for the same tokens.
      const spelling = isIssuerTemplate(iss) ? fillTenant(iss, '{tenantid}') : iss;
      const owner = owners.get(spelling);
      if (owner !== undefined && owner !== index) {
        const allowed = `each iss in one entry only; issuers[${owner}] has it too`;
        problems.push({ option: `issuers[${index}].tokenIssuers`, given: shorten(iss), allowed });
      }
      owners.set(spelling, index);
    }
  }
  return problems;
}

function resolveIssuer(checked: CheckedIssuer): ResolvedIssuer {
  const { issuer, audience, tokenTypes, tenants, validate } = checked;
  const algorithms = algorithmPolicy(checked.algorithms);
  return Object.freeze({
    name: checked.name ?? issuer,
    issuer,
    tokenIssuers: Object.freeze([...(checked.tokenIssuers ?? [issuer])]),
    admitsTenant: admission(tenants),
    audiences: audience === null ? null : new Set(typeof audience === 'string' ? [audience] : audience),
    algorithms: algorithms.allowed,
    tokenTypes: new Set(tokenTypes.map((type) => (type === null ? null : mediaType(type)))),
    requiredClaims: Object.freeze([...checked.requiredClaims]),
    clockTolerance: checked.clockTolerance / 1000,
    maxTokenAge: checked.maxTokenAge === undefined ? undefined : checked.maxTokenAge / 1000,
    validate,
    scopes: scopeReader(checked.scopes),
    roles: roleReader(checked.roles),
    hasOwnFunctions: [validate, checked.scopes, checked.roles].some((option) => typeof option === 'function'),
    metadata: resolveMetadata(checked, algorithms),
  });
}

function admission(tenants: CheckedIssuer['tenants']): (tenantId: string) => boolean {
  if (typeof tenants === 'function') {
    return (tenantId) => {
      // As with policies, only `true` is a yes: a promise would be one for every tenant.
      const verdict: unknown = tenants(tenantId);
      return verdict === true;
    };
  }
  const admitted = tenants ? new Set(tenants) : undefined;
  return (tenantId) => admitted?.has(tenantId) ?? true;
}

function resolveMetadata(
  { issuer, metadataAddress, jwksUri, metadata }: CheckedIssuer,
  algorithms: AlgorithmPolicy,
): ResolvedMetadataOptions {
  return Object.freeze({
    ...metadata,
    issuer,
    ...addressesOf(issuer, metadataAddress, jwksUri),
    algorithms,
    // Looked up per call, so that instrumentation installed later is seen.
    fetch: metadata.fetch ?? ((...request) => globalThis.fetch(...request)),
    store: metadata.store,
  });
}
