import type { AuthCensusEntry } from '../census/auth-census-entry.js';
import { requiredScopes } from '../authorized/requirements/required-scopes.js';
import type { ResolvedProtectedResource } from '../features/protected-resource-options.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';

/** The document of RFC 9728 §2, as it is published. */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers?: readonly string[] | undefined;
  readonly scopes_supported?: readonly string[] | undefined;
  readonly bearer_methods_supported?: readonly string[] | undefined;
  readonly resource_name?: string | undefined;
  readonly resource_documentation?: string | undefined;
  readonly resource_policy_uri?: string | undefined;
  readonly resource_tos_uri?: string | undefined;
  readonly tls_client_certificate_bound_access_tokens?: true | undefined;
  readonly dpop_signing_alg_values_supported?: readonly string[] | undefined;
  readonly dpop_bound_access_tokens_required?: true | undefined;
}

/** Everything but `resource`: the same for every request. */
type SharedMembers = Omit<ProtectedResourceMetadata, 'resource'>;

/** RFC 9728 §2: clients ask for it on their own; the MCP specification wants it left out. */
const OFFLINE_ACCESS = 'offline_access';

/** Builds the members that do not depend on the request. @param handlers every handler of the application */
export function sharedMembers(
  given: ResolvedProtectedResource,
  options: ResolvedAuthOptions,
  handlers: readonly AuthCensusEntry[],
): SharedMembers {
  return {
    authorization_servers: given.authorizationServers ?? options.issuers.map(({ issuer }) => issuer),
    scopes_supported: given.scopesSupported ?? scopesOf(handlers),
    // An extractor of the application's own may read the token from anywhere.
    bearer_methods_supported: options.jwtFromRequest === undefined ? ['header'] : [],
    resource_name: given.name,
    resource_documentation: given.documentation,
    resource_policy_uri: given.policy,
    resource_tos_uri: given.termsOfService,
    tls_client_certificate_bound_access_tokens: options.mtls ? true : undefined,
    dpop_signing_alg_values_supported: options.dpop?.algorithms,
    dpop_bound_access_tokens_required: isDpopRequired(options) ? true : undefined,
  };
}

/** The text of the document. RFC 9728 §3.2: members without a value are left out, as JSON does with `undefined`. */
export function documentOf(resource: string, shared: SharedMembers): string {
  const members = Object.entries({ resource, ...shared });
  return JSON.stringify(
    Object.fromEntries(members.filter(([, value]) => !Array.isArray(value) || value.length > 0)),
  );
}

/** Where certificates are accepted too, a token may be bound to one of those instead. */
function isDpopRequired({ dpop, mtls, issuers }: ResolvedAuthOptions): boolean {
  return (
    dpop !== undefined && !mtls && issuers.every(({ senderConstraint }) => senderConstraint === 'require')
  );
}

/** Every scope that a handler names, in alphabetical order. What an open handler inherits does not count. */
function scopesOf(handlers: readonly AuthCensusEntry[]): readonly string[] {
  const named = handlers
    .filter(({ anonymous }) => !anonymous)
    .flatMap(({ requirements }) => requiredScopes(requirements.checks));
  return [...new Set(named)].filter((scope) => scope !== OFFLINE_ACCESS).toSorted();
}
