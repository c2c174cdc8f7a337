import type { IssuerOptions } from '../auth.options.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { guidOf, hostOf, segmentOf, type PresetAudience } from './preset-values.js';

const LOGIN = 'https://login.microsoftonline.com';
const V1 = 'https://sts.windows.net';
const DISCOVERY = '/.well-known/openid-configuration';

/** What {@link entraId} takes: one `tenant`, or several `tenants`. */
export interface EntraIdPresetOptions {
  /** The tenant's GUID. */
  tenant?: string | undefined;
  /** Tenants of a multi-tenant API, by GUID or by a test; `null` accepts every tenant. */
  tenants?: readonly string[] | ((tenantId: string) => boolean) | null | undefined;
  /**
   * The API's application id (GUID), which v2.0 tokens carry, or its application id URI (`api://…`), which v1.0 tokens
   * carry; give both when both kinds arrive.
   */
  audience: PresetAudience;
}

/**
 * Microsoft Entra ID, single or multi-tenant: tokens of both versions (`requestedAccessTokenVersion` in the API's
 * manifest decides which one arrives), each with the issuer of its own tenant. Tokens for Microsoft Graph cannot be
 * verified by any other API. For an application with claims mapping add `metadataAddress` with `?appid=`.
 *
 * @throws {AuthConfigurationError} when a tenant is no GUID, or neither or both of `tenant` and `tenants` are given
 */
export function entraId({ tenant, tenants, audience }: EntraIdPresetOptions): IssuerOptions {
  if ((tenant === undefined) === (tenants === undefined)) {
    throw new AuthConfigurationError('entraId takes either tenant or tenants');
  }
  if (tenant !== undefined) {
    const id = guidOf('entraId', 'tenant', tenant);
    return {
      issuer: `${LOGIN}/${id}/v2.0`,
      tokenIssuers: [`${LOGIN}/${id}/v2.0`, `${V1}/${id}/`],
      audience,
      algorithms: ['RS256'],
    };
  }
  return {
    issuer: `${LOGIN}/{tenantid}/v2.0`,
    tokenIssuers: [`${LOGIN}/{tenantid}/v2.0`, `${V1}/{tenantid}/`],
    metadataAddress: `${LOGIN}/common/v2.0${DISCOVERY}`,
    tenants: Array.isArray(tenants) ? tenants.map((id: string) => guidOf('entraId', 'tenants', id)) : tenants,
    audience,
    algorithms: ['RS256'],
  };
}

/** What {@link entraExternalId} takes. */
export interface EntraExternalIdPresetOptions {
  /** The external tenant's GUID. */
  tenant: string;
  /** Its subdomain: `contoso` in `contoso.ciamlogin.com`. */
  subdomain: string;
  /** The API's application id. */
  audience: PresetAudience;
}

/**
 * Microsoft Entra External ID: the issuer names the tenant by its GUID in host and path, for every sign-in domain.
 *
 * @throws {AuthConfigurationError} when `tenant` is no GUID or `subdomain` no label
 */
export function entraExternalId({
  tenant,
  subdomain,
  audience,
}: EntraExternalIdPresetOptions): IssuerOptions {
  const id = guidOf('entraExternalId', 'tenant', tenant);
  const host = `${segmentOf('entraExternalId', 'subdomain', subdomain)}.ciamlogin.com`;
  return {
    issuer: `https://${id}.ciamlogin.com/${id}/v2.0`,
    metadataAddress: `https://${host}/${id}/v2.0${DISCOVERY}`,
    audience,
    algorithms: ['RS256'],
  };
}

/** What {@link azureB2c} takes. */
export interface AzureB2cPresetOptions {
  /** Name of the tenant: `contoso` in `contoso.b2clogin.com`. */
  tenant: string;
  /** Its GUID, which the issuer names. */
  tenantId: string;
  /** The user flows or custom policies whose tokens are accepted, as they stand in `tfp`: `B2C_1_signin`. At least one. */
  policies: readonly string[];
  /** The API's application id. */
  audience: PresetAudience;
}

/**
 * Azure AD B2C: one issuer, one discovery document and key set per policy, united; `tfp` must name one of the policies,
 * so that a token of another flow (password reset) is refused although the issuer is the same.
 * A custom policy that writes `acr` in place of `tfp` needs `requiredClaims: { acr: policies }` instead.
 *
 * @throws {AuthConfigurationError} when `tenantId` is no GUID, or a name has other characters
 */
export function azureB2c({ tenant, tenantId, policies, audience }: AzureB2cPresetOptions): IssuerOptions {
  const name = segmentOf('azureB2c', 'tenant', tenant);
  const base = `https://${name}.b2clogin.com`;
  return {
    issuer: `${base}/${guidOf('azureB2c', 'tenantId', tenantId)}/v2.0/`,
    metadataAddress: policies.map((policy) => {
      const segment = segmentOf('azureB2c', 'policies', policy).toLowerCase();
      return `${base}/${name}.onmicrosoft.com/${segment}/v2.0${DISCOVERY}`;
    }),
    audience,
    requiredClaims: { tfp: policies },
    algorithms: ['RS256'],
  };
}

/** What {@link adfs} takes. */
export interface AdfsPresetOptions {
  /** The federation service's host: `sts.example.com`. */
  host: string;
  /** Identifier of the Web API, or `microsoft:identityserver:<client id>`. */
  audience: PresetAudience;
}

/**
 * AD FS 2016 and later: access tokens name the service's trust identifier, an http URL that is never called, and not the
 * issuer of the metadata (`access_token_issuer` in [MS-OIDCE] 2.2.3.2). A service with another trust identifier needs
 * `tokenIssuers` beside the preset.
 *
 * @throws {AuthConfigurationError} when `host` is no host name
 */
export function adfs({ host, audience }: AdfsPresetOptions): IssuerOptions {
  const name = hostOf('adfs', 'host', host);
  return {
    issuer: `https://${name}/adfs`,
    tokenIssuers: [`http://${name}/adfs/services/trust`],
    audience,
    algorithms: ['RS256'],
  };
}
