import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import type { Authenticator } from '../authentication/authenticator.js';
import type { Claims } from '../token/unverified-token.js';
import { rolesOf, scopesOf } from '../authentication/scopes-and-roles.js';

/**
 * Stands in for the `Authenticator` in tests that need no issuer: every request, message and connection, with or without
 * a token, is this user's, in every context that is switched on. Scopes and roles are read off the user as off the claims of a token; what they require still holds.
 *
 * ```ts
 * Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(Authenticator).useValue(authenticatedAs({ sub: 'alice', scope: 'orders:read' }))
 * ```
 *
 * @param user what `@CurrentUser` returns
 * @param token replaces members of the `AuthenticatedToken`
 */
export function authenticatedAs(
  user: object,
  token: Partial<Omit<AuthenticatedToken, 'user'>> = {},
): Pick<Authenticator, 'authenticate' | 'answerTo' | 'tokenOf' | 'rawTokenIn' | 'assertStillValid'> {
  const claims: Claims = {
    iss: 'https://issuer.test',
    exp: Number.MAX_SAFE_INTEGER,
    ...user,
    ...token.claims,
  };
  const authenticated: AuthenticatedToken = Object.freeze({
    header: { alg: 'none' },
    issuer: claims.iss,
    scopes: scopesOf(claims),
    roles: rolesOf(claims),
    ...token,
    claims,
    user,
  });
  return {
    authenticate: () => Promise.resolve(authenticated),
    answerTo: () => authenticated,
    tokenOf: () => authenticated,
    // Connections and streams keep the token that they were accepted with, and check it again.
    rawTokenIn: () => 'test-token',
    assertStillValid: () => Promise.resolve(),
  };
}
