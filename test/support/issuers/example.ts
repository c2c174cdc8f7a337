import type { IssuerOptions } from 'nestjs-resilient-auth';
import { makeSigner } from './signer.js';
import { tokenOf, type Site } from './site.js';

export const EXAMPLE = 'https://issuer.example';
export const DISCOVERY = '/.well-known/openid-configuration';
/** The one key of the example issuer, and the key set with it. */
export const exampleKey = makeSigner('ES256');
export const exampleKeySet = { keys: [exampleKey.jwk] };

/** Options that trust the example issuer at this site; the first request loads, so no test waits for a retry. */
export function exampleOptions(site: Site, overrides: Partial<IssuerOptions> = {}): IssuerOptions {
  const metadata = { ...overrides.metadata, startup: 'lazy' } as const;
  return site.serving({ issuer: EXAMPLE, audience: 'api', ...overrides, metadata });
}

export function exampleToken(claims: Readonly<Record<string, unknown>> = {}): string {
  return tokenOf(exampleKey, { iss: EXAMPLE, aud: 'api', ...claims });
}
