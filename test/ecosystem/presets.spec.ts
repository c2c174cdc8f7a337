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
import { platforms } from '../support/apps/platforms.js';
import { startApi } from '../support/apps/start-api.js';
import { base64Kid, hexKid } from '../support/issuers/key-ids.js';
import { makeSigner, type Signer, type SignerOptions } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const TENANT = '11111111-2222-4333-8444-555555555555';
const OTHER_TENANT = '99999999-2222-4333-8444-555555555555';
const APP = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
const DISCOVERY = '/.well-known/openid-configuration';
const LOGIN = 'https://login.microsoftonline.com';

type Claims = Readonly<Record<string, unknown>>;

/** An API with these options, whose provider is a site in this process. */
async function serve(site: Site, options: IssuerOptions) {
  const api = await startApi(platforms[0].create, site.serving(options));
  const answer = async (token: string): Promise<string> => {
    const { status, body } = await api.get('/orders', token);
    return status < 300 ? 'ok' : String(body.errorCode);
  };
  const tokenSeen = async (token: string): Promise<unknown> =>
    (await api.get('/orders/token', token).expect(200)).body;
  return { answer, tokenSeen };
}

/** What one provider publishes and signs, and what a preset must make of it. */
interface Dialect {
  readonly name: string;
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

const noAlg: SignerOptions = { members: { alg: undefined } };

const dialects: readonly Dialect[] = [
  {
    name: 'entraId (one tenant, v2.0 token)',
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
    name: 'keycloak (inner and outer address)',
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
    options: fusionAuth({ url: 'https://auth.shop.example', tenantId: TENANT, audience: APP }),
    addresses: [`https://auth.shop.example/.well-known/openid-configuration/${TENANT}`],
    claims: { iss: 'https://auth.shop.example', aud: APP, roles: ['admin'], applicationId: APP },
    roles: ['admin'],
    refused: { 'the default issuer': { iss: 'acme.com' }, 'another application': { aud: OTHER_TENANT } },
  },
  {
    name: 'pingOne',
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
];

describe('[E1-1] presets', () => {
  describe.each(dialects)('$name', (dialect) => {
    const signer = makeSigner(dialect.alg ?? 'RS256', dialect.key);
    const jwksUri = (address: string) => `${new URL(address).origin}/keys?of=${encodeURIComponent(address)}`;
    const site = () =>
      new Site(
        Object.fromEntries(
          dialect.addresses.flatMap((address) => [
            [
              address,
              { issuer: dialect.documentIssuer ?? dialect.options.issuer, jwks_uri: jwksUri(address) },
            ],
            [jwksUri(address), { keys: [signer.jwk] }],
          ]),
        ),
      );
    const token = (claims: Claims = {}, by: Signer = signer) =>
      tokenOf(by, { sub: 'alice', ...dialect.claims, ...claims }, dialect.header);

    it('accepts a token in the shape of the provider, with its scopes and roles', async () => {
      const { tokenSeen } = await serve(site(), dialect.options);
      expect(await tokenSeen(token())).toMatchObject({
        scopes: dialect.scopes ?? [],
        roles: dialect.roles ?? [],
      });
    });

    it.each(Object.entries(dialect.refused))(
      'rejects a token that differs in one thing: %s',
      async (_, claims) => {
        const { answer } = await serve(site(), dialect.options);
        expect(await answer(token())).toBe('ok');
        expect(await answer(token(claims))).toMatch(/^AUTH_TOKEN_/);
      },
    );

    it('rejects a token when it is signed with another key', async () => {
      const { answer } = await serve(site(), dialect.options);
      const forger = makeSigner(dialect.alg ?? 'RS256', { kid: signer.kid });
      expect(await answer(token({}, forger))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    });
  });
});

describe('[E1-2] presets', () => {
  it('keeps every check but that of the audience, and that one too unless the provider writes none', () => {
    for (const { options, name } of dialects) {
      const { audience, requiredClaims, metadata, tokenTypes, validate } = options;
      expect({ name, metadata, tokenTypes, validate }).toEqual({ name });
      const isBound = audience !== null || Object.keys(requiredClaims ?? {}).length > 0;
      expect({ name, isBound }).toEqual({ name, isBound: true });
    }
  });

  it.each([
    ['entraId with a domain name', () => entraId({ tenant: 'contoso.onmicrosoft.com', audience: APP })],
    ['entraId with both tenant and tenants', () => entraId({ tenant: TENANT, tenants: null, audience: APP })],
    ['entraId with neither', () => entraId({ audience: APP })],
    ['auth0 with a URL for a domain', () => auth0({ domain: 'https://shop.auth0.com', audience: 'api' })],
    [
      'okta with a path',
      () => okta({ domain: 'shop.okta.com', authorizationServer: '../x', audience: 'api' }),
    ],
    ['keycloak with no URL', () => keycloak({ url: 'login.example', realm: 'shop', audience: 'api' })],
    ['cognito with a slash', () => cognito({ region: 'eu/x', userPoolId: 'p', clientIds: ['c'] })],
    [
      'pingOne with an unknown region',
      () => pingOne({ environmentId: TENANT, region: 'evil.com', audience: 'a' }),
    ],
  ])('throws AuthConfigurationError when given %s', (_, make) => {
    expect(make).toThrow(AuthConfigurationError);
  });

  it.each([
    ['cognito without clients', cognito({ region: 'eu-central-1', userPoolId: 'p', clientIds: [] })],
    ['clerk without origins', clerk({ domain: 'clerk.example', authorizedParties: [] })],
    [
      'azureB2c without policies',
      azureB2c({ tenant: 'shop', tenantId: TENANT, policies: [], audience: APP }),
    ],
  ])('rejects the boot when given %s', async (_, options) => {
    await expect(serve(new Site({}), options)).rejects.toThrow(AuthConfigurationError);
  });
});

describe('[E1-5] azureB2c', () => {
  it('accepts tokens of each policy when their key sets differ', async () => {
    const options = azureB2c({
      tenant: 'shop',
      tenantId: TENANT,
      policies: ['B2C_1_a', 'B2C_1_b'],
      audience: APP,
    });
    const signers = { b2c_1_a: makeSigner('RS256', noAlg), b2c_1_b: makeSigner('RS256', noAlg) };
    const documents = Object.entries(signers).flatMap(([policy, { jwk }]) => {
      const base = `https://shop.b2clogin.com/shop.onmicrosoft.com/${policy}`;
      return [
        [`${base}/v2.0${DISCOVERY}`, { issuer: options.issuer, jwks_uri: `${base}/discovery/v2.0/keys` }],
        [`${base}/discovery/v2.0/keys`, { keys: [jwk] }],
      ];
    });
    const { answer } = await serve(new Site(Object.fromEntries(documents)), options);
    const claims = { iss: options.issuer, aud: APP, sub: 'alice', scp: 'orders:read' };
    expect(await answer(tokenOf(signers.b2c_1_a, { ...claims, tfp: 'B2C_1_a' }))).toBe('ok');
    expect(await answer(tokenOf(signers.b2c_1_b, { ...claims, tfp: 'B2C_1_b' }))).toBe('ok');
  });
});
