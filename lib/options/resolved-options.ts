import type { TokenExtractor } from '../auth.options.js';
import type { ResolvedMetadataOptions } from '../metadata/metadata-options.js';
import type { TrustedIssuer } from '../token/trusted-issuer.js';
import type { TokenCacheLimits } from '../token/verified-token-cache.js';

/** One issuer with every default filled in. */
export interface ResolvedIssuer extends TrustedIssuer {
  readonly metadata: ResolvedMetadataOptions;
}

/** The options after validation, frozen: what everybody inside injects. */
export interface ResolvedAuthOptions {
  readonly jwtFromRequest: TokenExtractor | undefined;
  readonly tokenMaxLength: number;
  readonly realm: string | undefined;
  readonly tokenCache: TokenCacheLimits | undefined;
  readonly issuers: readonly ResolvedIssuer[];
}

/** What they are injected by. */
export const RESOLVED_OPTIONS = Symbol('nestjs-resilient-auth:options');
