import { createHash } from 'node:crypto';
import { makeSigner, type Signer } from './signer.js';
import { Site, tokenOf, type Documents } from './site.js';

const LOGIN = 'https://login.microsoftonline.com';
export const CONTOSO = '11111111-2222-3333-4444-555555555555';
export const FABRIKAM = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
/** The tenant of all personal Microsoft accounts. */
export const MSA = '9188040d-6c67-4c5b-b112-36a304b66dad';
export const V2_TEMPLATE = `${LOGIN}/{tenantid}/v2.0`;
export const V1_TEMPLATE = 'https://sts.windows.net/{tenantid}/';
export const COMMON_METADATA = `${LOGIN}/common/v2.0/.well-known/openid-configuration`;
export const APP = 'api-app-guid';

/** As Entra ID publishes a key: no alg, kid = x5t, a certificate, and on v2 the issuer it may sign for. */
export function entraKey(issuer?: string): Signer {
  const signer = makeSigner('RS256', { members: { alg: undefined, x5c: ['MIIB'], issuer } });
  const x5t = createHash('sha1').update(JSON.stringify(signer.jwk)).digest('base64url');
  return { ...signer, kid: x5t, jwk: { ...signer.jwk, kid: x5t, x5t } };
}

/** Discovery document and key set of one Entra address. */
export function entraDocuments(
  issuer: string,
  base: string,
  keys: readonly Signer[],
  version: '/v2.0' | '' = '/v2.0',
): Documents {
  const jwksUri = `${base}/discovery${version}/keys`;
  return {
    [`${base}${version}/.well-known/openid-configuration`]: {
      issuer,
      jwks_uri: jwksUri,
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint: `${base}/oauth2${version}/token`,
    },
    [jwksUri]: { keys: keys.map(({ jwk }) => jwk) },
  };
}

/** The `common` address: keys of all tenants, and one of personal accounts. */
export function commonSite(...keys: readonly Signer[]): Site {
  return new Site(entraDocuments(V2_TEMPLATE, `${LOGIN}/common`, keys));
}

/** An access token of v2 for a tenant. */
export function v2Token(signer: Signer, tid: string, claims: Readonly<Record<string, unknown>> = {}): string {
  const iss = `${LOGIN}/${tid}/v2.0`;
  return tokenOf(
    signer,
    { iss, aud: APP, tid, ver: '2.0', sub: 's', oid: 'o', azp: 'client', ...claims },
    { typ: 'JWT' },
  );
}

/** An access token of v1 for a tenant. */
export function v1Token(signer: Signer, tid: string, claims: Readonly<Record<string, unknown>> = {}): string {
  const iss = `https://sts.windows.net/${tid}/`;
  return tokenOf(
    signer,
    { iss, aud: `api://${APP}`, tid, ver: '1.0', sub: 's', appid: 'client', ...claims },
    { typ: 'JWT', x5t: signer.kid },
  );
}
