import { Authenticator, type IssuerOptions } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import {
  APP,
  commonSite,
  CONTOSO,
  entraDocuments,
  entraKey,
  FABRIKAM,
  MSA,
  V2_TEMPLATE,
  v1Token,
  v2Token,
} from '../support/issuers/entra-id.js';
import { startApi } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';
import { signWith } from '../support/issuers/signer.js';
import { Site, tokenOf } from '../support/issuers/site.js';

const [{ create }] = platforms;

const LOGIN = 'https://login.microsoftonline.com';
const v2Issuer = `${LOGIN}/${CONTOSO}/v2.0`;
const v1Issuer = `https://sts.windows.net/${CONTOSO}/`;

/** One tenant; `requestedAccessTokenVersion: 2` in the API's manifest. */
const v2: IssuerOptions = {
  issuer: v2Issuer,
  audience: APP,
};

/** One tenant; the manifest's default, version 1. The v1 discovery document is not below its issuer. */
const v1: IssuerOptions = {
  issuer: v1Issuer,
  metadataAddress: `${LOGIN}/${CONTOSO}/.well-known/openid-configuration`,
  audience: `api://${APP}`,
};

/** Both versions on one API: the v2 key set signs both. */
const both: IssuerOptions = {
  issuer: v2Issuer,
  tokenIssuers: [v2Issuer, v1Issuer],
  audience: [APP, `api://${APP}`],
};

/** Several tenants, through `common`. */
const multiTenant: IssuerOptions = {
  issuer: `${LOGIN}/{tenantid}/v2.0`,
  metadataAddress: `${LOGIN}/common/v2.0/.well-known/openid-configuration`,
  audience: APP,
  tenants: [CONTOSO, FABRIKAM],
};

const key = entraKey(v2Issuer);
const next = entraKey(v2Issuer);
const v1Key = entraKey();
const tenantSite = () =>
  new Site({
    ...entraDocuments(v2Issuer, `${LOGIN}/${CONTOSO}`, [key, next]),
    ...entraDocuments(v1Issuer, `${LOGIN}/${CONTOSO}`, [v1Key], ''),
  });

describe('Entra ID v2, one tenant', () => {
  it('accepts tokens by issuer and audience alone, of several keys without alg', async () => {
    const api = await startApi(create, tenantSite().serving(v2));
    const claims = { scp: 'orders:read orders:write', roles: ['admin'] };
    expect(await api.tokenSeen(v2Token(key, CONTOSO, claims))).toMatchObject({
      scopes: ['orders:read', 'orders:write'],
      roles: ['admin'],
      alg: 'RS256',
    });
    expect(await api.outcomeOf(v2Token(next, CONTOSO))).toBe('ok');
  });

  it('keeps scp, what the user allowed, and roles, what the application may, apart', async () => {
    const api = await startApi(create, tenantSite().serving(v2));
    expect(await api.outcomeOf(v2Token(key, CONTOSO, { scp: 'admin' }), '/orders/audit')).toBe(
      'AUTH_ROLE_MISSING',
    );
    await api.post('/orders', v2Token(key, CONTOSO, { roles: ['orders:read', 'orders:write'] })).expect(403);
  });

  it('rejects a v1 token, another tenant, and a Graph token', async () => {
    const api = await startApi(create, tenantSite().serving(v2));
    expect(await api.outcomeOf(v1Token(key, CONTOSO))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    expect(await api.outcomeOf(v2Token(key, FABRIKAM))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
    const graph = { aud: '00000003-0000-0000-c000-000000000000' };
    expect(await api.outcomeOf(v2Token(key, CONTOSO, graph))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
  });

  it('names Microsoft Graph in the cause when the signature of its token does not verify and aud is not checked', async () => {
    const api = await startApi(create, tenantSite().serving({ ...v2, audience: null }));
    const forGraph = v2Token(key, CONTOSO, { aud: 'https://graph.microsoft.com' });
    // Its header holds the digest of the nonce that was signed: nothing outside Graph verifies it.
    const [header, claims] = forGraph.split('.');
    const refusal = await api.app
      .get(Authenticator)
      .authenticate(`${header}.${claims}.${v2Token(key, CONTOSO).split('.')[2]}`)
      .catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'AUTH_TOKEN_SIGNATURE_INVALID',
      cause: { message: expect.stringContaining('meant for Microsoft Graph') },
    });
  });

  it('rejects PS256 with a key without alg', async () => {
    const api = await startApi(create, tenantSite().serving(v2));
    const forged = { ...key, alg: 'PS256', sign: signWith(key.privateKey, 'PS256') };
    expect(await api.outcomeOf(v2Token(forged, CONTOSO))).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('reads the keys of an application with claims mapping from its own address', async () => {
    const own = entraKey(v2Issuer);
    const metadataAddress = `${v2Issuer}/.well-known/openid-configuration?appid=${APP}`;
    const jwksUri = `${LOGIN}/${CONTOSO}/discovery/v2.0/keys?appid=${APP}`;
    const site = new Site({
      [metadataAddress]: { issuer: v2Issuer, jwks_uri: jwksUri },
      [jwksUri]: { keys: [own.jwk] },
    });
    const api = await startApi(create, site.serving({ ...v2, metadataAddress }));
    expect(await api.outcomeOf(v2Token(own, CONTOSO))).toBe('ok');
  });
});

describe('Entra ID v1, one tenant', () => {
  it('accepts v1 tokens with the v1 issuer and the address where Entra keeps its metadata', async () => {
    const api = await startApi(create, tenantSite().serving(v1));
    expect(await api.outcomeOf(v1Token(v1Key, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v2Token(v1Key, CONTOSO, { aud: `api://${APP}` }))).toBe(
      'AUTH_TOKEN_ISSUER_UNKNOWN',
    );
    const slashless = { iss: v1Issuer.slice(0, -1) };
    expect(await api.outcomeOf(v1Token(v1Key, CONTOSO, slashless))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('accepts v1 tokens beside v2 when their key names the v2 issuer', async () => {
    const api = await startApi(create, tenantSite().serving(both));
    expect(await api.outcomeOf(v2Token(key, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v1Token(key, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v1Token(key, FABRIKAM))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('accepts v1 tokens as an entry of its own, by its own keys', async () => {
    const api = await startApi(create, tenantSite().serving({ issuers: [v2, v1] }));
    expect(await api.outcomeOf(v2Token(key, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v1Token(v1Key, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v1Token(key, CONTOSO))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });
});

describe('Entra ID, several tenants', () => {
  const template = entraKey(V2_TEMPLATE);
  const personal = entraKey(V2_TEMPLATE.replace('{tenantid}', MSA));

  it('accepts the configured tenants through common, whose issuer is a template', async () => {
    const api = await startApi(create, commonSite(template, personal).serving(multiTenant));
    expect(await api.outcomeOf(v2Token(template, CONTOSO))).toBe('ok');
    expect(await api.outcomeOf(v2Token(template, FABRIKAM))).toBe('ok');
    expect(await api.outcomeOf(v2Token(template, MSA))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('rejects the key of personal accounts for a company (Storm-0558)', async () => {
    const api = await startApi(
      create,
      commonSite(template, personal).serving({ ...multiTenant, tenants: null }),
    );
    expect(await api.outcomeOf(v2Token(personal, MSA))).toBe('ok');
    expect(await api.outcomeOf(v2Token(personal, CONTOSO))).toBe('AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('answers AUTH_METADATA_UNAVAILABLE when the document names one tenant in place of the template', async () => {
    const documents = entraDocuments(v2Issuer, `${LOGIN}/common`, [template]);
    const api = await startApi(
      create,
      new Site(documents).serving({ ...multiTenant, metadata: { startup: 'lazy' } }),
    );
    expect(await api.outcomeOf(v2Token(template, CONTOSO))).toBe('AUTH_METADATA_UNAVAILABLE');
  });

  it('rejects an ID token: its audience is the client', async () => {
    const api = await startApi(create, commonSite(template).serving(multiTenant));
    const id = { iss: `${LOGIN}/${CONTOSO}/v2.0`, tid: CONTOSO, aud: 'client', nonce: 'n', sub: 's' };
    expect(await api.outcomeOf(tokenOf(template, id, { typ: 'JWT' }))).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
  });
});
