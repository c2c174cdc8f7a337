import type { IssuerOptions } from '../auth.options.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { guidOf, hostOf, segmentOf, type PresetAudience } from './preset-values.js';

/** What {@link okta} takes. */
export interface OktaPresetOptions {
  /** `shop.okta.com`, or the custom domain: tokens name the one they were requested at. */
  domain: string;
  /** Id of a custom authorization server. Default `'default'`. */
  authorizationServer?: string | undefined;
  /** Audience of that authorization server, `api://default`. */
  audience: PresetAudience;
}

/**
 * Okta with a custom authorization server: scopes from `scp`, roles from `groups` (add a groups claim there).
 * Access tokens of the org authorization server cannot be verified by an API: their keys are not published.
 *
 * @throws {AuthConfigurationError} when `domain` is no host name or the authorization server has other characters
 */
export function okta({
  domain,
  authorizationServer = 'default',
  audience,
}: OktaPresetOptions): IssuerOptions {
  const server = segmentOf('okta', 'authorizationServer', authorizationServer);
  return {
    issuer: `https://${hostOf('okta', 'domain', domain)}/oauth2/${server}`,
    audience,
    algorithms: ['RS256'],
    roles: 'groups',
  };
}

const PING_REGIONS = ['com', 'eu', 'ca', 'asia', 'com.au', 'sg'];

/** What {@link pingOne} takes. */
export interface PingOnePresetOptions {
  /** GUID of the environment. */
  environmentId: string;
  /** Top-level domain of the region: `com`, `eu`, `ca`, `asia`, `com.au`, `sg`. Default `'com'`. */
  region?: string | undefined;
  /** Audience of the custom resource. */
  audience: PresetAudience;
}

/**
 * PingOne: tokens for a custom resource. Tokens for the PingOne API itself are not meant for another API.
 *
 * @throws {AuthConfigurationError} when `environmentId` is no GUID or the region is not known
 */
export function pingOne({ environmentId, region = 'com', audience }: PingOnePresetOptions): IssuerOptions {
  if (!PING_REGIONS.includes(region)) {
    throw new AuthConfigurationError(`pingOne({ region }) takes one of ${PING_REGIONS.join(', ')}`);
  }
  const id = guidOf('pingOne', 'environmentId', environmentId);
  return { issuer: `https://auth.pingone.${region}/${id}/as`, audience, algorithms: ['RS256'] };
}
