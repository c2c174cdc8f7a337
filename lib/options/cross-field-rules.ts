import type { ConfigurationProblem } from '../errors/configuration.error.js';
import { isAcceptableAddress } from '../metadata/fetch/parse-discovery.js';
import { canonicalIssuer, isIssuerTemplate } from '../token/trusted-issuer.js';
import { problem } from './problems.js';
import type { ResolvedIssuer } from './resolved-options.js';
import type { CheckedIssuer, CheckedModuleOptions } from './schema.js';

/** What the schema has accepted. */
export interface CheckedOptions {
  readonly module: CheckedModuleOptions;
  readonly issuers: readonly CheckedIssuer[];
  /** Whether the one issuer stands among the options of the module. */
  readonly isInline: boolean;
}

/** Finds what no single option of an issuer shows. @param prefix path of the issuer, as in `issuers[1].` */
export function problemsOfIssuer(issuer: CheckedIssuer, prefix: string): readonly ConfigurationProblem[] {
  const problems = [...addressProblems(issuer), ...templateProblems(issuer)];
  if (issuer.acceptIdTokens && issuer.audience === null)
    problems.push(problem('acceptIdTokens', true, 'only with an audience: the client the ID tokens are for'));
  return problems.map(({ option, ...rest }) => ({ option: `${prefix}${option}`, ...rest }));
}

/** Finds names and `iss` values that stand in two entries, two spellings of a template included. */
export function duplicates(issuers: readonly ResolvedIssuer[]): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const names = new Set<string>();
  const owners = new Map<string, number>();
  for (const [index, { name, tokenIssuers }] of issuers.entries()) {
    if (names.has(name)) problems.push(problem(`issuers[${index}].name`, name, 'a name of its own'));
    names.add(name);
    for (const iss of tokenIssuers) {
      const owner = owners.get(canonicalIssuer(iss));
      if (owner !== undefined && owner !== index) {
        const allowed = `each iss in one entry only; issuers[${owner}] has it too`;
        problems.push(problem(`issuers[${index}].tokenIssuers`, iss, allowed));
      }
      owners.set(canonicalIssuer(iss), index);
    }
  }
  return problems;
}

/** Finds what a capability needs of other options. */
export function problemsOfFeatures({
  module: { dpop, publicUrl },
  issuers,
  isInline,
}: CheckedOptions): readonly ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  if (dpop && publicUrl === undefined)
    problems.push(problem('publicUrl', undefined, 'required with dpop: the API as its clients see it'));
  if (dpop) return problems;
  for (const [index, { senderConstraint }] of issuers.entries()) {
    if (senderConstraint !== 'require') continue;
    const option = isInline ? 'senderConstraint' : `issuers[${index}].senderConstraint`;
    problems.push(problem(option, senderConstraint, "'require' only together with the option dpop"));
  }
  return problems;
}

function addressProblems(checked: CheckedIssuer): ConfigurationProblem[] {
  const { issuer, metadataAddress = [], jwksUri = [], metadata } = checked;
  const allowed = metadata.requireHttps
    ? 'an https URL (plain http needs metadata.requireHttps: false)'
    : 'an https or http URL';
  const given = [
    { option: 'issuer', address: issuer },
    ...metadataAddress.map((address) => ({ option: 'metadataAddress', address })),
    ...jwksUri.map((address) => ({ option: 'jwksUri', address })),
  ];
  const problems = given
    .filter(({ address }) => !isAcceptableAddress(address, metadata.requireHttps))
    .map(({ option, address }) => problem(option, address, allowed));
  if (/[?#]/.test(issuer))
    problems.push(problem('issuer', issuer, 'a URL without query and fragment (RFC 8414 §2)'));
  if (issuer.includes('/.well-known/'))
    problems.push(
      problem('issuer', issuer, 'the iss of the issuer; the URL of its document is metadataAddress'),
    );
  return problems;
}

function templateProblems(checked: CheckedIssuer): ConfigurationProblem[] {
  const { issuer, tokenIssuers = [], tenants, metadataAddress, jwksUri } = checked;
  const problems: ConfigurationProblem[] = [];
  const isTemplate = isIssuerTemplate(issuer);
  const hasTemplates = isTemplate || tokenIssuers.some(isIssuerTemplate);
  if (isTemplate && metadataAddress === undefined && jwksUri === undefined)
    problems.push(problem('metadataAddress', undefined, 'required when issuer holds {tenantid}'));
  if (hasTemplates && tenants === undefined) {
    const allowed = 'with {tenantid}: a list of tenant ids, a function, or null to accept any tenant';
    problems.push(problem('tenants', undefined, allowed));
  }
  if (!hasTemplates && tenants !== undefined)
    problems.push(problem('tenants', tenants, 'only together with {tenantid}'));
  return problems;
}
