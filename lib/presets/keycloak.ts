import type { IssuerOptions } from '../auth.options.js';
import type { Claims } from '../token/unverified-token.js';
import { baseOf, segmentOf, type PresetAudience } from './preset-values.js';

/** What {@link keycloak} takes. */
export interface KeycloakPresetOptions {
  /** Keycloak's address as clients see it, path included: `https://login.example.com`, `https://example.com/auth`. */
  url: string;
  /** Name of the realm, as in its address. */
  realm: string;
  /** The client id of the API, put into `aud` by an audience mapper or a client scope. */
  audience: PresetAudience;
  /**
   * Keycloak's address as this API reaches it, when it differs from `url`. Plain http needs
   * `metadata: { requireHttps: false }` beside the preset.
   */
  internalUrl?: string | undefined;
}

/**
 * Keycloak: roles are those of the realm (`realm_access`) and those of the API's own clients (`resource_access`, for each
 * client in `audience`). Without an audience mapper Keycloak writes only `account` into `aud`, and every token is refused:
 * add the mapper, do not switch the check off.
 *
 * @throws {AuthConfigurationError} when an address is no URL or `realm` has other characters than a path segment
 */
export function keycloak({ url, realm, audience, internalUrl }: KeycloakPresetOptions): IssuerOptions {
  const path = `/realms/${segmentOf('keycloak', 'realm', realm)}`;
  const clients = typeof audience === 'string' ? [audience] : audience;
  return {
    issuer: `${baseOf('keycloak', 'url', url)}${path}`,
    audience,
    metadataAddress:
      internalUrl === undefined
        ? undefined
        : `${baseOf('keycloak', 'internalUrl', internalUrl)}${path}/.well-known/openid-configuration`,
    roles: (claims: Claims) => [
      ...rolesIn(claims['realm_access']),
      ...clients.flatMap((client) => rolesIn(memberOf(claims['resource_access'], client))),
    ],
  };
}

function rolesIn(access: unknown): readonly string[] {
  const roles = memberOf(access, 'roles');
  return Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [];
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
