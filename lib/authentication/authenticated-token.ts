import type { Claims, TokenHeader } from '../token/unverified-token.js';

/** A token that has been accepted. Frozen; `claims` and `header` deeply so. */
export interface AuthenticatedToken<User = unknown> {
  readonly claims: Claims;
  readonly header: TokenHeader;
  /** The `name` of the issuer it comes from. */
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** What `validate` made of the claims; the claims themselves without one. */
  readonly user: User;
}
