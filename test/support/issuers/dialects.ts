import type { IssuerOptions } from 'nestjs-resilient-auth';
import {
  adfs,
  auth0,
  azureB2c,
  clerk,
  cognito,
  entraExternalId,
  entraId,
  firebase,
  fusionAuth,
  google,
  keycloak,
  okta,
  pingOne,
  supabase,
  zitadel,
} from 'nestjs-resilient-auth/presets';
import { base64Kid, hexKid } from './key-ids.js';
import type { Signer, SignerOptions } from './signer.js';
import { Site } from './site.js';

export const TENANT = '11111111-2222-4333-8444-555555555555';
const OTHER_TENANT = '99999999-2222-4333-8444-555555555555';
export const APP = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const DISCOVERY = '/.well-known/openid-configuration';
const LOGIN = 'https://login.microsoftonline.com';

export type Claims = Readonly<Record<string, unknown>>;

/** What one provider publishes and signs, and what a preset must make of it. */
export interface Dialect {
  readonly name: string;
  /** Which `AppModule` of which page of docs/guides/providers has these options. */
  readonly page: `${string}#${number}`;
  readonly options: IssuerOptions;
  /** `issuer` of the discovery document. Default: that of the options. */
  readonly documentIssuer?: string;
  readonly addresses: readonly string[];
  readonly alg?: string;
  readonly key?: SignerOptions;
  readonly claims: Claims;
  readonly header?: Claims;
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
  /** Claims of tokens that must be refused, by what is wrong with them. */
  readonly refused: Readonly<Record<string, Claims>>;
}

export const noAlg: SignerOptions = { members: { alg: undefined } };

export const dialects: readonly Dialect[] = [
  {
    name: 'entraId (one tenant, v2.0 token)',
    page: 'entra-id#1',
    options: entraId({ tenant: TENANT, audience: [APP, `api://${APP}`] }),
    addresses: [`${LOGIN}/${TENANT}/v2.0${DISCOVERY}`],
    key: { members: { alg: undefined, issuer: `${LOGIN}/${TENANT}/v2.0` } },
    claims: {
      iss: `${LOGIN}/${TENANT}/v2.0`,
      aud: APP,
      tid: TENANT,
      ver: '2.0',
      scp: 'orders:read',
      roles: ['admin'],
    },
    header: { typ: 'JWT' },
    scopes: ['orders:read'],
    roles: ['admin'],
    refused: {
      'another tenant': { iss: `${LOGIN}/${OTHER_TENANT}/v2.0`, tid: OTHER_TENANT },
      'Microsoft Graph': { aud: '00000003-0000-0000-c000-000000000000' },
    },
  },
  {
    name: 'entraId (one tenant, v1.0 token)',
    page: 'entra-id#1',
    options: entraId({ tenant: TENANT, audience: [APP, `api://${APP}`] }),
    addresses: [`${LOGIN}/${TENANT}/v2.0${DISCOVERY}`],
    key: { members: { alg: undefined, issuer: `${LOGIN}/${TENANT}/v2.0` } },
    claims: {
      iss: `https://sts.windows.net/${TENANT}/`,
      aud: `api://${APP}`,
      tid: TENANT,
      ver: '1.0',
      scp: 'orders:read',
    },
    scopes: ['orders:read'],
    refused: { 'another tenant': { iss: `https://sts.windows.net/${OTHER_TENANT}/`, tid: OTHER_TENANT } },
  },
  {
    name: 'entraId (several tenants)',
    page: 'entra-id#2',
    options: entraId({ tenants: [TENANT], audience: APP }),
    documentIssuer: `${LOGIN}/{tenantid}/v2.0`,
    addresses: [`${LOGIN}/common/v2.0${DISCOVERY}`],
    key: { members: { alg: undefined, issuer: `${LOGIN}/{tenantid}/v2.0` } },
    claims: { iss: `${LOGIN}/${TENANT}/v2.0`, aud: APP, tid: TENANT, scp: 'orders:read' },
    scopes: ['orders:read'],
    refused: {
      'a tenant that is not listed': { iss: `${LOGIN}/${OTHER_TENANT}/v2.0`, tid: OTHER_TENANT },
      'a tid that differs from iss': { tid: OTHER_TENANT },
    },
  },
  {
    name: 'entraExternalId',
    page: 'entra-external-id#1',
    options: entraExternalId({ tenant: TENANT, subdomain: 'shop', audience: APP }),
    addresses: [`https://shop.ciamlogin.com/${TENANT}/v2.0${DISCOVERY}`],
    key: noAlg,
    claims: {
      iss: `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
      aud: APP,
      tid: TENANT,
      scp: 'orders:read',
    },
    scopes: ['orders:read'],
    refused: { 'the address in place of the issuer': { iss: `https://shop.ciamlogin.com/${TENANT}/v2.0` } },
  },
  {
    name: 'azureB2c',
    page: 'azure-ad-b2c#1',
    options: azureB2c({
      tenant: 'shop',
      tenantId: TENANT,
      policies: ['B2C_1_signin', 'B2C_1_edit'],
      audience: APP,
    }),
    addresses: ['b2c_1_signin', 'b2c_1_edit'].map(
      (policy) => `https://shop.b2clogin.com/shop.onmicrosoft.com/${policy}/v2.0${DISCOVERY}`,
    ),
    key: noAlg,
    claims: {
      iss: `https://shop.b2clogin.com/${TENANT}/v2.0/`,
      aud: APP,
      tfp: 'B2C_1_signin',
      scp: 'orders:read',
      ver: '1.0',
    },
    scopes: ['orders:read'],
    refused: { 'another policy': { tfp: 'B2C_1_reset' }, 'no policy': { tfp: undefined } },
  },
  {
    name: 'auth0',
    page: 'auth0#1',
    options: auth0({ domain: 'shop.eu.auth0.com', audience: 'https://api.shop.example' }),
    addresses: [`https://shop.eu.auth0.com${DISCOVERY}`],
    claims: {
      iss: 'https://shop.eu.auth0.com/',
      aud: ['https://api.shop.example', 'https://shop.eu.auth0.com/userinfo'],
      azp: 'client',
      scope: 'openid orders:read',
      permissions: ['orders:write'],
    },
    scopes: ['openid', 'orders:read'],
    roles: ['orders:write'],
    refused: {
      'the issuer without its slash': { iss: 'https://shop.eu.auth0.com' },
      'another API': { aud: ['https://shop.eu.auth0.com/userinfo'] },
    },
  },
  {
    name: 'okta',
    page: 'okta#1',
    options: okta({ domain: 'shop.okta.com', audience: 'api://default' }),
    addresses: [`https://shop.okta.com/oauth2/default${DISCOVERY}`],
    claims: {
      iss: 'https://shop.okta.com/oauth2/default',
      aud: 'api://default',
      cid: 'client',
      scp: ['openid', 'orders:read'],
      groups: ['admin'],
    },
    header: { typ: undefined },
    scopes: ['openid', 'orders:read'],
    roles: ['admin'],
    refused: {
      'the org authorization server': { iss: 'https://shop.okta.com' },
      'another authorization server': { iss: 'https://shop.okta.com/oauth2/aus1' },
    },
  },
  {
    name: 'keycloak',
    page: 'keycloak#1',
    options: keycloak({ url: 'https://login.shop.example/', realm: 'shop', audience: 'orders-api' }),
    addresses: [`https://login.shop.example/realms/shop${DISCOVERY}`],
    claims: {
      iss: 'https://login.shop.example/realms/shop',
      aud: ['orders-api', 'account'],
      typ: 'Bearer',
      azp: 'shop',
      realm_access: { roles: ['auditor'] },
    },
    header: { typ: 'JWT' },
    roles: ['auditor'],
    refused: {
      'a refresh token': { typ: 'Refresh' },
      'another realm': { iss: 'https://login.shop.example/realms/other' },
    },
  },
  {
    name: 'keycloak (inner and outer address)',
    page: 'keycloak#2',
    options: keycloak({
      url: 'https://login.shop.example/',
      realm: 'shop',
      audience: 'orders-api',
      internalUrl: 'https://keycloak.internal:8443',
    }),
    addresses: [`https://keycloak.internal:8443/realms/shop${DISCOVERY}`],
    claims: {
      iss: 'https://login.shop.example/realms/shop',
      aud: ['orders-api', 'account'],
      typ: 'Bearer',
      azp: 'shop',
      scope: 'openid orders:read',
      realm_access: { roles: ['auditor'] },
      resource_access: { 'orders-api': { roles: ['admin'] }, account: { roles: ['manage-account'] } },
    },
    header: { typ: 'JWT' },
    scopes: ['openid', 'orders:read'],
    roles: ['auditor', 'admin'],
    refused: {
      'another realm': { iss: 'https://login.shop.example/realms/other' },
      'the inner address': { iss: 'https://keycloak.internal:8443/realms/shop' },
      'a token without the audience mapper': { aud: 'account' },
    },
  },
  {
    name: 'cognito',
    page: 'cognito#1',
    options: cognito({
      region: 'eu-central-1',
      userPoolId: 'eu-central-1_AbC',
      clientIds: ['web', 'mobile'],
    }),
    addresses: [`https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC${DISCOVERY}`],
    key: { kid: base64Kid() },
    claims: {
      iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC',
      client_id: 'mobile',
      token_use: 'access',
      scope: 'orders/read',
      'cognito:groups': ['admin'],
    },
    scopes: ['orders/read'],
    roles: ['admin'],
    refused: {
      'another client': { client_id: 'other' },
      'no client': { client_id: undefined },
      'a list that holds the client': { client_id: ['mobile'] },
      'an ID token': { client_id: undefined, token_use: 'id', aud: 'mobile' },
      'no token_use': { token_use: undefined },
      'another pool': { iss: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Xyz' },
    },
  },
  {
    name: 'google',
    page: 'google#1',
    options: google({ clientId: 'web.apps.googleusercontent.com' }),
    addresses: [`https://accounts.google.com${DISCOVERY}`],
    key: { kid: hexKid() },
    claims: {
      iss: 'accounts.google.com',
      aud: 'web.apps.googleusercontent.com',
      azp: 'web.apps.googleusercontent.com',
      at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
      email: 'alice@example.com',
    },
    refused: {
      'another client': { aud: 'other.apps.googleusercontent.com', azp: 'other.apps.googleusercontent.com' },
    },
  },
  {
    name: 'firebase',
    page: 'firebase#1',
    options: firebase({ projectId: 'shop-prod' }),
    addresses: [`https://securetoken.google.com/shop-prod${DISCOVERY}`],
    key: { kid: hexKid() },
    claims: {
      iss: 'https://securetoken.google.com/shop-prod',
      aud: 'shop-prod',
      auth_time: 1_700_000_000,
      user_id: 'u1',
      firebase: { identities: {}, sign_in_provider: 'password' },
    },
    refused: {
      'another project': { iss: 'https://securetoken.google.com/other', aud: 'other' },
      'no sub': { sub: undefined },
    },
  },
  {
    name: 'adfs',
    page: 'adfs#1',
    options: adfs({ host: 'sts.shop.example', audience: 'microsoft:identityserver:client' }),
    documentIssuer: 'https://sts.shop.example/adfs',
    addresses: [`https://sts.shop.example/adfs${DISCOVERY}`],
    claims: {
      iss: 'http://sts.shop.example/adfs/services/trust',
      aud: 'microsoft:identityserver:client',
      scp: 'openid',
      appid: 'client',
    },
    scopes: ['openid'],
    refused: { 'the issuer of ID tokens': { iss: 'https://sts.shop.example/adfs' } },
  },
  {
    name: 'zitadel',
    page: 'zitadel#1',
    options: zitadel({ url: 'https://shop.zitadel.cloud', audience: '1234' }),
    addresses: [`https://shop.zitadel.cloud${DISCOVERY}`],
    claims: {
      iss: 'https://shop.zitadel.cloud',
      aud: ['1234'],
      'urn:zitadel:iam:org:project:roles': { admin: { '77': 'shop.zitadel.cloud' } },
    },
    roles: ['admin'],
    refused: { 'another project': { aud: ['5678'] } },
  },
  {
    name: 'fusionAuth',
    page: 'fusionauth#1',
    options: fusionAuth({ url: 'https://auth.shop.example', tenantId: TENANT, audience: APP }),
    addresses: [`https://auth.shop.example/.well-known/openid-configuration/${TENANT}`],
    claims: { iss: 'https://auth.shop.example', aud: APP, roles: ['admin'], applicationId: APP },
    roles: ['admin'],
    refused: { 'the default issuer': { iss: 'acme.com' }, 'another application': { aud: OTHER_TENANT } },
  },
  {
    name: 'pingOne',
    page: 'pingone#1',
    options: pingOne({ environmentId: TENANT, region: 'eu', audience: 'https://api.shop.example' }),
    addresses: [`https://auth.pingone.eu/${TENANT}/as${DISCOVERY}`],
    claims: {
      iss: `https://auth.pingone.eu/${TENANT}/as`,
      aud: ['https://api.shop.example'],
      client_id: 'client',
      scope: 'orders:read',
    },
    scopes: ['orders:read'],
    refused: {
      'the PingOne API': { aud: ['https://api.pingone.eu'] },
      'another region': { iss: `https://auth.pingone.com/${TENANT}/as` },
    },
  },
  {
    name: 'clerk',
    page: 'clerk#1',
    options: clerk({ domain: 'clerk.shop.example', authorizedParties: ['https://app.shop.example'] }),
    addresses: [`https://clerk.shop.example${DISCOVERY}`],
    claims: { iss: 'https://clerk.shop.example', azp: 'https://app.shop.example', sid: 'sess_1', v: 2 },
    refused: {
      'another origin': { azp: 'https://evil.example' },
      'no origin': { azp: undefined },
      'another instance': { iss: 'https://clerk.other.example' },
    },
  },
  {
    name: 'supabase',
    page: 'supabase#1',
    options: supabase({ projectRef: 'abcdefghijklmnopqrst' }),
    addresses: [`https://abcdefghijklmnopqrst.supabase.co/auth/v1${DISCOVERY}`],
    alg: 'ES256',
    claims: {
      iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
      aud: 'authenticated',
      role: 'authenticated',
      is_anonymous: false,
    },
    roles: ['authenticated'],
    refused: {
      'another project': { iss: 'https://other.supabase.co/auth/v1' },
      'a token of the anon key': { aud: undefined, role: 'anon' },
    },
  },
  {
    name: 'any other',
    page: 'other#1',
    options: {
      issuer: 'https://login.shop.example',
      audience: 'https://api.shop.example',
      algorithms: ['ES256'],
      tokenTypes: ['at+jwt'],
      roles: 'realm.roles',
    },
    addresses: [`https://login.shop.example${DISCOVERY}`],
    alg: 'ES256',
    claims: {
      iss: 'https://login.shop.example',
      aud: 'https://api.shop.example',
      client_id: 'web',
      jti: 'one',
      scope: 'orders:read',
      realm: { roles: ['admin'] },
    },
    header: { typ: 'at+jwt' },
    scopes: ['orders:read'],
    roles: ['admin'],
    refused: { 'another API': { aud: 'https://other.shop.example' }, 'no client': { client_id: undefined } },
  },
];

/** What the provider of a dialect publishes, when this signer has its only key. */
export function siteOf({ addresses, documentIssuer, options }: Dialect, { jwk }: Signer): Site {
  return new Site(
    Object.fromEntries(
      addresses.flatMap((address) => {
        const jwksUri = `${new URL(address).origin}/keys?of=${encodeURIComponent(address)}`;
        const document = { issuer: documentIssuer ?? options.issuer, jwks_uri: jwksUri };
        return [
          [address, document],
          [jwksUri, { keys: [jwk] }],
        ];
      }),
    ),
  );
}
