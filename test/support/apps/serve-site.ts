import { createHash, randomBytes, type KeyObject } from 'node:crypto';
import {
  MetadataProvider,
  type IssuerOptions,
  type MetadataEvent,
  type ResilientAuthOptions,
} from 'nestjs-resilient-auth';
import { startApi } from './start-api.js';
import { platforms } from './platforms.js';
import { makeSigner } from '../issuers/signer.js';
import { tokenOf, type Site } from '../issuers/site.js';

/** An API with the options a user would write, whose issuer is a site in this process. */
export async function serve(
  site: Site,
  options: IssuerOptions | { readonly issuers: readonly IssuerOptions[] },
) {
  const served: ResilientAuthOptions =
    'issuers' in options
      ? { issuers: options.issuers.map((issuer) => site.serving(issuer)) }
      : site.serving(options);
  const api = await startApi(platforms[0].create, served);
  /** `ok`, or the error code of the refusal. */
  const answer = async (token: string, path = '/orders'): Promise<string> => {
    const { status, body } = await api.get(path, token);
    return status < 300 ? 'ok' : String(body.errorCode);
  };
  const tokenSeen = async (token: string): Promise<unknown> =>
    (await api.get('/orders/token', token).expect(200)).body;
  const refresh = () => api.app.get(MetadataProvider).refreshNow();
  return { api, answer, tokenSeen, refresh };
}

/** As Keycloak and Okta name keys: base64url of a SHA-256, 43 characters. */
export function sha256Kid(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

/** As Google names keys: 40 hexadecimal digits. */
export function hexKid(): string {
  return randomBytes(20).toString('hex');
}

/** As Cognito names keys: plain base64 with its padding. */
export function base64Kid(): string {
  let kid = '';
  while (!/[+/]/.test(kid)) kid = randomBytes(32).toString('base64');
  return kid;
}

export const EXAMPLE = 'https://issuer.example';
export const DISCOVERY = '/.well-known/openid-configuration';
/** The one key of the example issuer, and the key set with it. */
export const exampleKey = makeSigner('ES256');
export const exampleKeySet = { keys: [exampleKey.jwk] };

/** An API that trusts an issuer at this site, and the status it answers that issuer's token with. */
export async function serveExample(site: Site, overrides: Partial<IssuerOptions> = {}) {
  // The first request loads: nobody has to wait for the next attempt after one that failed at boot.
  const metadata = { ...overrides.metadata, startup: 'lazy' } as const;
  const options = { issuer: EXAMPLE, audience: 'api', ...overrides, metadata };
  const api = await startApi(platforms[0].create, site.serving(options));
  const events: MetadataEvent[] = [];
  api.app.get(MetadataProvider).events$.subscribe((event) => events.push(event));
  const answer = async (claims = {}): Promise<number> => {
    const token = tokenOf(exampleKey, { iss: options.issuer, aud: 'api', ...claims });
    return (await api.get('/orders', token)).status;
  };
  return { api, answer, events };
}
