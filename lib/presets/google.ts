import type { IssuerOptions } from '../auth.options.js';
import { segmentOf, type PresetAudience } from './preset-values.js';

/** What {@link google} takes. */
export interface GooglePresetOptions {
  /** The OAuth client ids whose ID tokens are accepted. */
  clientId: PresetAudience;
}

/**
 * Google: access tokens are opaque and cannot be checked here, so ID tokens are accepted (`acceptIdTokens`), for these
 * clients only. An ID token says who signed in and carries no scopes: authorize by the user, not by scope.
 */
export function google({ clientId }: GooglePresetOptions): IssuerOptions {
  return {
    issuer: 'https://accounts.google.com',
    tokenIssuers: ['https://accounts.google.com', 'accounts.google.com'],
    audience: clientId,
    acceptIdTokens: true,
    algorithms: ['RS256'],
  };
}

/** What {@link firebase} takes. */
export interface FirebasePresetOptions {
  /** Id of the Firebase project. */
  projectId: string;
}

/**
 * Firebase Authentication and Google Cloud Identity Platform: the tokens are ID tokens for the project. `sub` must be
 * there, as Firebase asks. Custom claims stand beside the others: name one with `roles` to read roles from it.
 *
 * @throws {AuthConfigurationError} when `projectId` has other characters than a project id
 */
export function firebase({ projectId }: FirebasePresetOptions): IssuerOptions {
  const project = segmentOf('firebase', 'projectId', projectId);
  return {
    issuer: `https://securetoken.google.com/${project}`,
    audience: project,
    acceptIdTokens: true,
    requiredClaims: ['sub', 'auth_time'],
    algorithms: ['RS256'],
  };
}
