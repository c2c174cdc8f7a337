import { AuthConfigurationError, type IssuerOptions } from 'nestjs-resilient-auth';
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
import { describe, expect, it } from 'vitest';
import { APP, DISCOVERY } from '../support/issuers/dialects.js';

const LOGIN = 'https://login.microsoftonline.com';
const V1 = 'https://sts.windows.net';
/** With letters: presets write them in lower case. */
const TENANT = 'aaaabbbb-cccc-4ddd-8eee-ffff00001111';
const UPPER = TENANT.toUpperCase();
const rs256 = { algorithms: ['RS256'] };
const any = expect.any(Function);

const rows: readonly [name: string, options: IssuerOptions, expected: object][] = [
  [
    'entraId of a tenant',
    entraId({ tenant: UPPER, audience: APP }),
    {
      issuer: `${LOGIN}/${TENANT}/v2.0`,
      tokenIssuers: [`${LOGIN}/${TENANT}/v2.0`, `${V1}/${TENANT}/`],
      audience: APP,
      ...rs256,
    },
  ],
  [
    'entraId of several tenants',
    entraId({ tenants: [UPPER], audience: APP }),
    {
      issuer: `${LOGIN}/{tenantid}/v2.0`,
      tokenIssuers: [`${LOGIN}/{tenantid}/v2.0`, `${V1}/{tenantid}/`],
      metadataAddress: `${LOGIN}/common/v2.0${DISCOVERY}`,
      tenants: [TENANT],
      audience: APP,
      ...rs256,
    },
  ],
  [
    'entraExternalId',
    entraExternalId({ tenant: UPPER, subdomain: 'shop', audience: APP }),
    {
      issuer: `https://${TENANT}.ciamlogin.com/${TENANT}/v2.0`,
      metadataAddress: `https://shop.ciamlogin.com/${TENANT}/v2.0${DISCOVERY}`,
      audience: APP,
      ...rs256,
    },
  ],
  [
    'azureB2c',
    azureB2c({ tenant: 'shop', tenantId: UPPER, policies: ['B2C_1_a', 'B2C_1_b'], audience: APP }),
    {
      issuer: `https://shop.b2clogin.com/${TENANT}/v2.0/`,
      metadataAddress: ['b2c_1_a', 'b2c_1_b'].map(
        (policy) => `https://shop.b2clogin.com/shop.onmicrosoft.com/${policy}/v2.0${DISCOVERY}`,
      ),
      audience: APP,
      requiredClaims: { tfp: ['B2C_1_a', 'B2C_1_b'] },
      ...rs256,
    },
  ],
  [
    'auth0',
    auth0({ domain: 'shop.eu.auth0.com', audience: 'api' }),
    {
      issuer: 'https://shop.eu.auth0.com/',
      audience: 'api',
      algorithms: ['RS256', 'PS256'],
      roles: 'permissions',
    },
  ],
  [
    'okta without an authorization server',
    okta({ domain: 'shop.okta.com', audience: 'api' }),
    { issuer: 'https://shop.okta.com/oauth2/default', audience: 'api', roles: 'groups', ...rs256 },
  ],
  [
    'okta with an authorization server',
    okta({ domain: 'shop.okta.com', authorizationServer: 'aus1', audience: 'api' }),
    { issuer: 'https://shop.okta.com/oauth2/aus1', audience: 'api', roles: 'groups', ...rs256 },
  ],
  [
    'keycloak',
    keycloak({ url: 'https://login.example/auth/', realm: 'shop', audience: 'api' }),
    { issuer: 'https://login.example/auth/realms/shop', audience: 'api', roles: any },
  ],
  [
    'keycloak with an inner address',
    keycloak({
      url: 'https://login.example',
      realm: 'shop',
      audience: 'api',
      internalUrl: 'http://kc:8080/',
    }),
    {
      issuer: 'https://login.example/realms/shop',
      audience: 'api',
      metadataAddress: `http://kc:8080/realms/shop${DISCOVERY}`,
      roles: any,
    },
  ],
  [
    'cognito',
    cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_A', clientIds: ['web'] }),
    {
      issuer: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_A',
      audience: null,
      requiredClaims: { client_id: ['web'], token_use: ['access'] },
      roles: ['cognito:groups'],
      ...rs256,
    },
  ],
  [
    'google',
    google({ clientId: 'web' }),
    {
      issuer: 'https://accounts.google.com',
      tokenIssuers: ['https://accounts.google.com', 'accounts.google.com'],
      audience: 'web',
      acceptIdTokens: true,
      ...rs256,
    },
  ],
  [
    'firebase',
    firebase({ projectId: 'shop-prod' }),
    {
      issuer: 'https://securetoken.google.com/shop-prod',
      audience: 'shop-prod',
      acceptIdTokens: true,
      requiredClaims: ['sub', 'auth_time'],
      ...rs256,
    },
  ],
  [
    'adfs',
    adfs({ host: 'sts.example.com', audience: 'api' }),
    {
      issuer: 'https://sts.example.com/adfs',
      tokenIssuers: ['http://sts.example.com/adfs/services/trust'],
      audience: 'api',
      ...rs256,
    },
  ],
  [
    'zitadel',
    zitadel({ url: 'https://shop.zitadel.cloud/', audience: '1' }),
    { issuer: 'https://shop.zitadel.cloud', audience: '1', roles: any },
  ],
  [
    'fusionAuth',
    fusionAuth({ url: 'https://auth.example', tenantId: UPPER, audience: APP }),
    {
      issuer: 'https://auth.example',
      metadataAddress: `https://auth.example${DISCOVERY}/${TENANT}`,
      audience: APP,
    },
  ],
  [
    'fusionAuth with an issuer',
    fusionAuth({
      url: 'https://auth.example',
      tenantId: TENANT,
      issuer: 'https://id.example',
      audience: APP,
    }),
    {
      issuer: 'https://id.example',
      metadataAddress: `https://auth.example${DISCOVERY}/${TENANT}`,
      audience: APP,
    },
  ],
  [
    'pingOne',
    pingOne({ environmentId: UPPER, audience: 'api' }),
    { issuer: `https://auth.pingone.com/${TENANT}/as`, audience: 'api', ...rs256 },
  ],
  [
    'clerk',
    clerk({ domain: 'clerk.example.com', authorizedParties: ['https://app.example.com'] }),
    {
      issuer: 'https://clerk.example.com',
      audience: null,
      requiredClaims: { azp: ['https://app.example.com'], sub: true },
      ...rs256,
    },
  ],
  [
    'supabase',
    supabase({ projectRef: 'abc' }),
    {
      issuer: 'https://abc.supabase.co/auth/v1',
      audience: 'authenticated',
      requiredClaims: ['sub'],
      algorithms: ['ES256', 'RS256'],
      roles: 'role',
    },
  ],
];

const GUID = 'a GUID, not a domain name';
const HOST = 'a host name without scheme and path';
const SEGMENT = 'letters, digits and . _ ~ - only';
const URL_ONLY = 'a URL without query and fragment';

describe('presets', () => {
  it.each(rows)('[E1-1] [E1-2] [E1-3] returns exactly these options for %s', (_, options, expected) => {
    expect(options).toEqual(expected);
  });

  it.each<[message: string, make: () => IssuerOptions]>([
    [`entraId({ tenant }) takes ${GUID}`, () => entraId({ tenant: `x${TENANT}`, audience: APP })],
    [`entraId({ tenant }) takes ${GUID}`, () => entraId({ tenant: `${TENANT}/x`, audience: APP })],
    [`entraId({ tenants }) takes ${GUID}`, () => entraId({ tenants: ['common'], audience: APP })],
    [`auth0({ domain }) takes ${HOST}`, () => auth0({ domain: 'shop.auth0.com/x', audience: 'a' })],
    [`auth0({ domain }) takes ${HOST}`, () => auth0({ domain: 'x@shop.auth0.com', audience: 'a' })],
    [
      `cognito({ userPoolId }) takes ${SEGMENT}`,
      () => cognito({ region: 'eu', userPoolId: 'p/../q', clientIds: ['c'] }),
    ],
    [
      `cognito({ region }) takes ${SEGMENT}`,
      () => cognito({ region: '.evil', userPoolId: 'p', clientIds: ['c'] }),
    ],
    [
      `keycloak({ url }) takes ${URL_ONLY}`,
      () => keycloak({ url: 'https://login.example?x', realm: 'shop', audience: 'a' }),
    ],
    [
      `keycloak({ url }) takes ${URL_ONLY}`,
      () => keycloak({ url: 'https://login.example#x', realm: 'shop', audience: 'a' }),
    ],
    [`zitadel({ url }) takes ${URL_ONLY}`, () => zitadel({ url: 'ftp://login.example', audience: 'a' })],
  ])('[E1-2] throws when a value could lead to another issuer: %s', (message, make) => {
    expect(make).toThrow(new AuthConfigurationError(message));
  });

  it('[E1-1] returns the roles of ZITADEL from an object alone', () => {
    const { roles } = zitadel({ url: 'https://shop.zitadel.cloud', audience: '1' });
    if (typeof roles !== 'function') throw new Error('They are read by a function');
    const claim = 'urn:zitadel:iam:org:project:roles';
    const rolesIn = (value: unknown) => roles({ iss: 'i', exp: 1, [claim]: value }, {});
    expect(rolesIn({ admin: {}, buyer: {} })).toEqual(['admin', 'buyer']);
    expect(rolesIn(['admin'])).toEqual([]);
    expect(rolesIn('admin')).toEqual([]);
    expect(rolesIn(null)).toEqual([]);
  });

  it('[E1-4] returns the roles of Keycloak from own members alone', () => {
    const { roles } = keycloak({
      url: 'https://login.example',
      realm: 'shop',
      audience: ['api', '__proto__'],
    });
    if (typeof roles !== 'function') throw new Error('They are read by a function');
    const access = { api: { roles: ['a', 7] }, other: { roles: ['x'] } };
    const claims = { iss: 'i', exp: 1, realm_access: { roles: ['r'] }, resource_access: access };
    expect(roles(claims, {})).toEqual(['r', 'a']);
    const inherited = Object.create({ api: { roles: ['x'] }, roles: ['x'] });
    expect(roles({ ...claims, realm_access: inherited, resource_access: inherited }, {})).toEqual([]);
  });
});
