import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import type { Authenticator } from '../../authentication/authenticator.js';
import { USE_OPTIONS, type StandIn } from '../../options/module/test-seams.js';
import type { Claims } from '../../token/unverified-token.js';
import { rolesOf, scopesOf, type ClaimReader } from '../../authentication/scopes-and-roles.js';

/** How scopes and roles are read. */
interface Readers {
  readonly scopes: ClaimReader;
  readonly roles: ClaimReader;
}

/**
 * Stands in for the `Authenticator` in tests that need no issuer: every request, message and connection, with or without
 * a token, is this user's, in every context that is switched on. Scopes and roles are read off the user as off the claims
 * of a token, by the options `scopes` and `roles` of the application; what handlers require still holds.
 *
 * ```ts
 * Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(Authenticator).useValue(authenticatedAs({ sub: 'alice', scope: 'orders:read' }))
 * ```
 *
 * @param user what `@CurrentUser` returns
 * @param token replaces members of the `AuthenticatedToken`; `issuer` also says by whose options scopes and roles are
 *   read, where the application has several issuers (default: the first)
 */
export function authenticatedAs(
  user: object,
  token: Partial<Omit<AuthenticatedToken, 'user'>> = {},
): Pick<Authenticator, 'authenticate' | 'answerTo' | 'tokenOf' | 'rawTokenIn' | 'assertStillValid'> &
  StandIn {
  const claims: Claims = {
    iss: 'https://issuer.test',
    exp: Number.MAX_SAFE_INTEGER,
    ...user,
    ...token.claims,
  };
  const authenticatedBy = (readers: Readers): AuthenticatedToken =>
    Object.freeze({
      header: { alg: 'none' },
      issuer: claims.iss,
      scopes: readers.scopes(claims, user),
      roles: readers.roles(claims, user),
      ...token,
      claims,
      user,
    });
  let authenticated = authenticatedBy({ scopes: scopesOf, roles: rolesOf });
  return {
    [USE_OPTIONS]: ({ issuers: [first, ...others] }) => {
      const issuer = others.find(({ name }) => name === token.issuer) ?? first;
      if (issuer) authenticated = authenticatedBy(issuer);
    },
    authenticate: () => Promise.resolve(authenticated),
    answerTo: () => authenticated,
    tokenOf: () => authenticated,
    // Connections and streams keep the token that they were accepted with, and check it again.
    rawTokenIn: () => 'test-token',
    assertStillValid: () => Promise.resolve(),
  };
}
