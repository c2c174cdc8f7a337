import type { TrustedIssuer } from './trusted-issuer.js';

/** A JOSE header as the token carries it, deep-frozen once the signature is verified; `alg` has passed the allow-list. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly [name: string]: unknown;
}

/**
 * The claims of an access token as the issuer wrote them, deep-frozen once the signature is verified. A claim that the
 * issuer wrote as `null` counts as absent in every check.
 */
export interface Claims {
  readonly iss: string;
  readonly exp: number;
  readonly sub?: string;
  readonly aud?: string | readonly string[];
  readonly nbf?: number;
  readonly iat?: number;
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** A token that is well-formed and claims to be for us: all that can be known without a key. Nothing of it is proven. */
export interface UnverifiedToken<Issuer extends TrustedIssuer = TrustedIssuer> {
  readonly token: string;
  readonly header: TokenHeader;
  readonly claims: Claims;
  /** How many values the two hold at all levels: memory beyond the text. */
  readonly values: number;
  readonly issuer: Issuer;
  /** The Entra tenant, when the issuer is a template. */
  readonly tenantId: string | undefined;
}
