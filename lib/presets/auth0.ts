import type { IssuerOptions } from '../auth.options.js';
import { hostOf, type PresetAudience } from './preset-values.js';

/** What {@link auth0} takes. */
export interface Auth0PresetOptions {
  /** The tenant's domain, `shop.eu.auth0.com`, or its custom domain: tokens name the one they were requested at. */
  domain: string;
  /** The identifier of the API, as registered at Auth0. */
  audience: PresetAudience;
}

/**
 * Auth0: the issuer ends with a slash; `permissions` (RBAC, "Add Permissions in the Access Token") are read as roles.
 * An API that is set to sign with HS256 cannot be used: choose RS256. Without an audience in the authorization request
 * Auth0 issues opaque tokens.
 *
 * @throws {AuthConfigurationError} when `domain` is no host name
 */
export function auth0({ domain, audience }: Auth0PresetOptions): IssuerOptions {
  return {
    issuer: `https://${hostOf('auth0', 'domain', domain)}/`,
    audience,
    algorithms: ['RS256', 'PS256'],
    roles: 'permissions',
  };
}
