/** One argument of a preset, and the environment variable it is read from. */
export interface PresetArgument {
  readonly name: string;
  readonly variable: string;
  readonly example: string;
  /** Several values, separated by commas. */
  readonly isList?: true;
}

const audience: PresetArgument = {
  name: 'audience',
  variable: 'AUTH_AUDIENCE',
  example: 'https://api.example.com',
};

const argument = (name: string, variable: string, example: string): PresetArgument => ({
  name,
  variable,
  example,
});
const listArgument = (name: string, variable: string, example: string): PresetArgument => ({
  ...argument(name, variable, example),
  isList: true,
});

/** The required arguments of each function of `nestjs-resilient-auth/presets`; `none` names the issuer itself. */
export const PRESETS = {
  none: [argument('issuer', 'AUTH_ISSUER', 'https://login.example.com/'), audience],
  adfs: [argument('host', 'AUTH_HOST', 'adfs.example.com'), audience],
  auth0: [argument('domain', 'AUTH_DOMAIN', 'example.eu.auth0.com'), audience],
  azureB2c: [
    argument('tenant', 'AUTH_TENANT', 'example'),
    argument('tenantId', 'AUTH_TENANT_ID', '00000000-0000-4000-8000-000000000000'),
    listArgument('policies', 'AUTH_POLICIES', 'B2C_1_sign_in,B2C_1_edit'),
    audience,
  ],
  clerk: [
    argument('domain', 'AUTH_DOMAIN', 'clerk.example.com'),
    listArgument('authorizedParties', 'AUTH_AUTHORIZED_PARTIES', 'https://app.example.com'),
  ],
  cognito: [
    argument('region', 'AUTH_REGION', 'eu-central-1'),
    argument('userPoolId', 'AUTH_USER_POOL_ID', 'eu-central-1_EXAMPLE'),
    listArgument('clientIds', 'AUTH_CLIENT_IDS', 'web-client-id,mobile-client-id'),
  ],
  entraExternalId: [
    argument('tenant', 'AUTH_TENANT', '00000000-0000-4000-8000-000000000000'),
    argument('subdomain', 'AUTH_SUBDOMAIN', 'example'),
    audience,
  ],
  entraId: [argument('tenant', 'AUTH_TENANT', '00000000-0000-4000-8000-000000000000'), audience],
  firebase: [argument('projectId', 'AUTH_PROJECT_ID', 'my-project')],
  fusionAuth: [
    argument('url', 'AUTH_URL', 'https://auth.example.com'),
    argument('tenantId', 'AUTH_TENANT_ID', '00000000-0000-4000-8000-000000000000'),
    audience,
  ],
  google: [argument('clientId', 'AUTH_CLIENT_ID', '1234567890-example.apps.googleusercontent.com')],
  keycloak: [
    argument('url', 'AUTH_URL', 'https://keycloak.example.com'),
    argument('realm', 'AUTH_REALM', 'shop'),
    audience,
  ],
  okta: [argument('domain', 'AUTH_DOMAIN', 'example.okta.com'), audience],
  pingOne: [
    argument('environmentId', 'AUTH_ENVIRONMENT_ID', '00000000-0000-4000-8000-000000000000'),
    audience,
  ],
  supabase: [argument('projectRef', 'AUTH_PROJECT_REF', 'abcdefghijklmnopqrst')],
  zitadel: [argument('url', 'AUTH_URL', 'https://example.zitadel.cloud'), audience],
} as const satisfies Readonly<Record<string, readonly PresetArgument[]>>;

export type PresetName = keyof typeof PRESETS;

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(PRESETS, name);
}

/** The variables of a preset with their examples; `audience` takes the place of its example. */
export function variablesOf(
  preset: PresetName,
  given: string | undefined,
): readonly (readonly [variable: string, example: string])[] {
  return PRESETS[preset].map(({ variable, example }) => [
    variable,
    variable === audience.variable && given ? given : example,
  ]);
}
