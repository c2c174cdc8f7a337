import { randomUUID } from 'node:crypto';
import { generateKeyPair, SignJWT } from 'jose';

/**
 * Makes tokens that are right in everything an attacker can know: type, algorithm, issuer, audience, times, scope.
 * Each names another key id, so each looks like the first token after a rotation.
 */
export async function forgeTokens(
  count: number,
  issuer: string,
  audience: string,
): Promise<readonly string[]> {
  const { privateKey } = await generateKeyPair('RS256');
  const forge = (): Promise<string> =>
    new SignJWT({ scope: 'orders:read orders:write', client_id: 'orders-cli', jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: randomUUID() })
      .setSubject('orders-cli')
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(privateKey);
  return Promise.all(Array.from({ length: count }, forge));
}
