import type { IssuerOptions } from '../auth.options.js';
import type { Claims } from '../token/unverified-token.js';
import { baseOf, guidOf, type PresetAudience } from './preset-values.js';

const ZITADEL_ROLES = 'urn:zitadel:iam:org:project:roles';

/** What {@link zitadel} takes. */
export interface ZitadelPresetOptions {
  /** Address of the instance: `https://shop-abc123.zitadel.cloud`. */
  url: string;
  /** The project id, or the client ids of its applications. */
  audience: PresetAudience;
}

/**
 * ZITADEL: access tokens are opaque unless the application's token type is JWT. Roles are the names in
 * `urn:zitadel:iam:org:project:roles` ("Assert Roles on Authentication").
 *
 * @throws {AuthConfigurationError} when `url` is no URL
 */
export function zitadel({ url, audience }: ZitadelPresetOptions): IssuerOptions {
  return {
    issuer: baseOf('zitadel', 'url', url),
    audience,
    roles: (claims: Claims) => {
      const roles = claims[ZITADEL_ROLES];
      return typeof roles === 'object' && roles !== null && !Array.isArray(roles) ? Object.keys(roles) : [];
    },
  };
}

/** What {@link fusionAuth} takes. */
export interface FusionAuthPresetOptions {
  /** Address of FusionAuth: `https://auth.example.com`. */
  url: string;
  /** GUID of the tenant. */
  tenantId: string;
  /** Issuer of the tenant, when it is not `url`: Tenants, Edit, General, Issuer (FusionAuth's own default is `acme.com`). */
  issuer?: string | undefined;
  /** The application's id. */
  audience: PresetAudience;
}

/**
 * FusionAuth: set the tenant's issuer to its address and its signing key to an RSA or EC key; the default HS256 key is
 * symmetric and cannot be used. Roles from `roles`.
 *
 * @throws {AuthConfigurationError} when an address is no URL or `tenantId` no GUID
 */
export function fusionAuth({ url, tenantId, issuer, audience }: FusionAuthPresetOptions): IssuerOptions {
  const base = baseOf('fusionAuth', 'url', url);
  return {
    issuer: issuer === undefined ? base : baseOf('fusionAuth', 'issuer', issuer),
    metadataAddress: `${base}/.well-known/openid-configuration/${guidOf('fusionAuth', 'tenantId', tenantId)}`,
    audience,
  };
}
