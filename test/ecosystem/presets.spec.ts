import { AuthConfigurationError, type IssuerOptions } from 'nestjs-resilient-auth';
import {
  auth0,
  azureB2c,
  clerk,
  cognito,
  entraId,
  keycloak,
  okta,
  pingOne,
} from 'nestjs-resilient-auth/presets';
import { describe, expect, it } from 'vitest';
import { platforms } from '../support/apps/platforms.js';
import { startApi } from '../support/apps/start-api.js';
import { APP, dialects, DISCOVERY, noAlg, siteOf, TENANT, type Claims } from '../support/issuers/dialects.js';
import { makeSigner, type Signer } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const presets = dialects.filter(({ page }) => page !== 'other#1');

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

/** The code for a token in which these claims are wrong; the issuer is looked at first, the audience next. */
function refusalOf(claims: Claims): string {
  if ('iss' in claims || 'tid' in claims) return 'AUTH_TOKEN_ISSUER_UNKNOWN';
  if (claims['token_use'] === 'id' || 'typ' in claims) return 'AUTH_TOKEN_TYPE_REFUSED';
  return 'aud' in claims ? 'AUTH_TOKEN_AUDIENCE_MISMATCH' : 'AUTH_TOKEN_CLAIM_INVALID';
}

describe('presets', () => {
  describe.each(presets)('$name', (dialect) => {
    const signer = makeSigner(dialect.alg ?? 'RS256', dialect.key);
    const site = () => siteOf(dialect, signer);
    const token = (claims: Claims = {}, by: Signer = signer) =>
      tokenOf(by, { sub: 'alice', ...dialect.claims, ...claims }, dialect.header);

    it('[E1-1] [E1-3] [E1-4] accepts a token in the shape of the provider, with its scopes and roles', async () => {
      const { tokenSeen } = await serve(site(), dialect.options);
      expect(await tokenSeen(token())).toMatchObject({
        scopes: dialect.scopes ?? [],
        roles: dialect.roles ?? [],
      });
    });

    it.each(Object.entries(dialect.refused))(
      '[E1-1] [E1-3] [E1-4] rejects a token that differs in one thing: %s',
      async (_, claims) => {
        const { answer } = await serve(site(), dialect.options);
        expect(await answer(token())).toBe('ok');
        expect(await answer(token(claims))).toBe(refusalOf(claims));
      },
    );

    it('[E1-1] rejects a token when it is signed with another key', async () => {
      const { answer } = await serve(site(), dialect.options);
      const forger = makeSigner(dialect.alg ?? 'RS256', { kid: signer.kid });
      expect(await answer(token({}, forger))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
    });
  });
});

describe('presets', () => {
  it('[E1-2] keeps every check but that of the audience, and that one too unless the provider writes none', () => {
    for (const { options, name } of presets) {
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
  ])('[E1-2] throws AuthConfigurationError when given %s', (_, make) => {
    expect(make).toThrow(AuthConfigurationError);
  });

  it.each([
    ['cognito without clients', cognito({ region: 'eu-central-1', userPoolId: 'p', clientIds: [] })],
    ['clerk without origins', clerk({ domain: 'clerk.example', authorizedParties: [] })],
    [
      'azureB2c without policies',
      azureB2c({ tenant: 'shop', tenantId: TENANT, policies: [], audience: APP }),
    ],
  ])('[E1-2] rejects the boot when given %s', async (_, options) => {
    await expect(serve(new Site({}), options)).rejects.toThrow(AuthConfigurationError);
  });
});

describe('azureB2c', () => {
  it('[E1-5] accepts tokens of each policy when their key sets differ', async () => {
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
