import type { AuthModuleOptions, TokenExtractor, ValidateContext } from '../auth.options.js';
import type { ClaimReader } from '../authentication/scopes-and-roles.js';
import type { MtlsOptions } from '../features/mtls-options.js';
import type { ReplayStore } from '../features/dpop-options.js';
import type { ResolvedProtectedResource } from '../features/protected-resource-options.js';
import type { ResolvedMetadataOptions } from '../metadata/metadata-options.js';
import type { TrustedIssuer } from '../token/trusted-issuer.js';
import type { Claims } from '../token/unverified-token.js';
import type { TokenCacheLimits } from '../token/verified-token-cache.js';

/** One issuer with every default filled in. */
export interface ResolvedIssuer extends TrustedIssuer {
  /** Whether its tokens must be bound to a key or a certificate. */
  readonly senderConstraint: 'accept' | 'require';
  readonly validate: ((claims: Claims, context: ValidateContext) => unknown) | undefined;
  readonly scopes: ClaimReader;
  readonly roles: ClaimReader;
  /** Whether one of the three is the application's own: its result may depend on more than the claims. */
  readonly hasOwnFunctions: boolean;
  readonly metadata: ResolvedMetadataOptions;
}

/** How proofs of possession are judged, every default filled in; times in milliseconds. */
export interface ResolvedDpopOptions {
  readonly algorithms: readonly string[];
  readonly proofLifetime: number;
  readonly clockTolerance: number;
  readonly nonce: false | { readonly secrets: readonly string[]; readonly lifetime: number };
  /** `undefined`: one in memory. */
  readonly replay: ReplayStore | false | undefined;
}

/** The options after validation, frozen: what the library's own classes inject. */
export interface ResolvedAuthOptions {
  readonly jwtFromRequest: TokenExtractor | undefined;
  readonly tokenMaxLength: number;
  readonly realm: string | undefined;
  readonly tokenCache: TokenCacheLimits | undefined;
  readonly contexts: NonNullable<AuthModuleOptions['contexts']>;
  readonly otherContexts: NonNullable<AuthModuleOptions['otherContexts']>;
  readonly extensions: NonNullable<AuthModuleOptions['extensions']>;
  readonly publicUrl: AuthModuleOptions['publicUrl'];
  readonly protectedResource: ResolvedProtectedResource | undefined;
  /** For each scope those that imply it, by `scopeImplies`. */
  readonly impliedBy: ReadonlyMap<string, readonly string[]>;
  /** Where the certificates of clients are found. */
  readonly mtls: MtlsOptions | undefined;
  readonly dpop: ResolvedDpopOptions | undefined;
  readonly issuers: readonly ResolvedIssuer[];
}

/** What they are injected by. */
export const RESOLVED_OPTIONS = Symbol('nestjs-resilient-auth:options');
