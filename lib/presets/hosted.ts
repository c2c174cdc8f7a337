import type { IssuerOptions } from '../auth.options.js';
import { hostOf, segmentOf } from './preset-values.js';

/** What {@link clerk} takes. */
export interface ClerkPresetOptions {
  /** Host of the Frontend API: `clerk.example.com`, or `verb-noun-00.clerk.accounts.dev` in development. */
  domain: string;
  /** The origins that may use the API, as they stand in `azp`: `https://app.example.com`. At least one. */
  authorizedParties: readonly string[];
}

/**
 * Clerk: session tokens carry no `aud`; the origin in `azp` is checked instead. For tokens from a JWT template with an
 * audience, set `audience` as well.
 *
 * @throws {AuthConfigurationError} when `domain` is no host name
 */
export function clerk({ domain, authorizedParties }: ClerkPresetOptions): IssuerOptions {
  return {
    issuer: `https://${hostOf('clerk', 'domain', domain)}`,
    audience: null,
    requiredClaims: { azp: authorizedParties, sub: true },
    algorithms: ['RS256'],
  };
}

/** What {@link supabase} takes. */
export interface SupabasePresetOptions {
  /** Reference of the project: the first label of its host, `abcdefghijklmnopqrst`. */
  projectRef: string;
}

/**
 * Supabase Auth with asymmetric signing keys (ES256 or RS256). A project that still signs with its legacy HS256 secret
 * cannot be used: its key is symmetric and not published. `role` (`authenticated`, `anon`) is read as the role;
 * anonymous sign-ins have the role `authenticated` and the claim `is_anonymous`.
 *
 * @throws {AuthConfigurationError} when `projectRef` has other characters than a reference
 */
export function supabase({ projectRef }: SupabasePresetOptions): IssuerOptions {
  return {
    issuer: `https://${segmentOf('supabase', 'projectRef', projectRef)}.supabase.co/auth/v1`,
    audience: 'authenticated',
    requiredClaims: ['sub'],
    algorithms: ['ES256', 'RS256'],
    roles: 'role',
  };
}
