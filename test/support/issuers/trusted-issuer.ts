import type { IssuerOptions } from 'nestjs-resilient-auth';
import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import type { ResolvedIssuer } from '../../../lib/options/resolved-options.js';

/** A configured issuer after validation, for tests of rules that need no network. */
export function trustedIssuer(options: Partial<IssuerOptions> = {}): ResolvedIssuer {
  const [issuer] = resolveAuthOptions(
    { issuer: 'https://issuer.test', audience: 'api', ...options },
    {},
  ).issuers;
  if (!issuer) throw new Error('There is no issuer');
  return issuer;
}
