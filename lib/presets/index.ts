export { auth0, type Auth0PresetOptions } from './auth0.js';
export { cognito, type CognitoPresetOptions } from './cognito.js';
export { firebase, google, type FirebasePresetOptions, type GooglePresetOptions } from './google.js';
export { clerk, supabase, type ClerkPresetOptions, type SupabasePresetOptions } from './hosted.js';
export { keycloak, type KeycloakPresetOptions } from './keycloak.js';
export {
  adfs,
  azureB2c,
  entraExternalId,
  entraId,
  type AdfsPresetOptions,
  type AzureB2cPresetOptions,
  type EntraExternalIdPresetOptions,
  type EntraIdPresetOptions,
} from './microsoft.js';
export { okta, pingOne, type OktaPresetOptions, type PingOnePresetOptions } from './okta.js';
export type { PresetAudience } from './preset-values.js';
export {
  fusionAuth,
  zitadel,
  type FusionAuthPresetOptions,
  type ZitadelPresetOptions,
} from './self-hosted.js';
