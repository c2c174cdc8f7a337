import { roleReader, scopeReader } from '../authentication/scopes-and-roles.js';
import { algorithmPolicy } from '../keys/algorithms.js';
import type { ResolvedMetadataOptions } from '../metadata/metadata-options.js';
import { mediaType } from '../token/parse/header-rules.js';
import { addressesOf } from './metadata-addresses.js';
import type { ResolvedIssuer } from './resolved-options.js';
import type { CheckedIssuer } from './schema.js';

/** Fills in what the schema cannot: defaults that depend on other options, and the form the library works with. */
export function resolveIssuer(checked: CheckedIssuer): ResolvedIssuer {
  const { issuer, audience, tokenTypes, tenants, requiredClaims, validate, scopes, roles } = checked;
  const algorithms = algorithmPolicy(checked.algorithms);
  return Object.freeze({
    name: checked.name ?? issuer,
    issuer,
    tokenIssuers: Object.freeze([...(checked.tokenIssuers ?? [issuer])]),
    admitsTenant: tenantTest(tenants),
    audiences: audience === null ? null : new Set(typeof audience === 'string' ? [audience] : audience),
    algorithms: algorithms.allowed,
    tokenTypes: new Set(tokenTypes.map((type) => (type === null ? null : mediaType(type)))),
    requiredClaims: Object.freeze(
      Array.isArray(requiredClaims) ? [...requiredClaims] : Object.keys(requiredClaims),
    ),
    claimValues: claimValues(requiredClaims),
    clockTolerance: checked.clockTolerance / 1000,
    maxTokenAge: checked.maxTokenAge === undefined ? undefined : checked.maxTokenAge / 1000,
    acceptIdTokens: checked.acceptIdTokens,
    senderConstraint: checked.senderConstraint,
    validate,
    scopes: scopeReader(scopes),
    roles: roleReader(roles),
    hasOwnFunctions: [validate, scopes, roles].some((option) => typeof option === 'function'),
    metadata: resolveMetadata(checked, algorithms),
  });
}

function claimValues(required: CheckedIssuer['requiredClaims']): ReadonlyMap<string, ReadonlySet<string>> {
  const values = new Map<string, ReadonlySet<string>>();
  if (Array.isArray(required)) return values;
  for (const [name, accepted] of Object.entries(required)) {
    if (Array.isArray(accepted)) values.set(name, new Set(accepted));
  }
  return values;
}

/** Compared without regard to case: RFC 9562 §4 reads GUIDs so, and portals show either. */
function tenantTest(tenants: CheckedIssuer['tenants']): (tenantId: string) => boolean {
  if (typeof tenants === 'function') {
    return (tenantId) => {
      // As with policies, only `true` allows: a promise would allow every tenant.
      const isAllowed: unknown = tenants(tenantId);
      return isAllowed === true;
    };
  }
  if (!tenants) return () => true;
  const allowed = new Set(tenants.map((tenant) => tenant.toLowerCase()));
  return (tenantId) => allowed.has(tenantId.toLowerCase());
}

function resolveMetadata(
  { issuer, metadataAddress, jwksUri, metadata }: CheckedIssuer,
  algorithms: ResolvedMetadataOptions['algorithms'],
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
