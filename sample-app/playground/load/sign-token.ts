import { createPrivateKey, randomBytes, randomUUID } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import type { SigningKey } from '../../provider/signing-key.js';

/** Seconds: longer than the tokens of the provider, so that the load need not renew all of them. */
const lifetime = 60 * 60;

/** The claims of an ordinary access token (RFC 9068 §2.2) of the embedded provider. */
export function ordinaryClaims(issuer: string, audience: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    aud: audience,
    sub: 'orders-cli',
    client_id: 'orders-cli',
    scope: 'orders:read orders:write',
    iat: now,
    exp: now + lifetime,
    jti: randomUUID(),
  };
}

/** Signs with a key of the provider. */
export function signToken(claims: JWTPayload, key: SigningKey): Promise<string> {
  const header = { alg: 'RS256', typ: 'at+jwt', kid: key.kid };
  return new SignJWT(claims)
    .setProtectedHeader(header)
    .sign(createPrivateKey({ key: { ...key }, format: 'jwk' }));
}

/** Correct in everything an attacker can know, with a signature of random bytes: as good as one by another key. */
export function forgeToken(claims: JWTPayload, kid: string, alg = 'RS256'): string {
  const signature = alg === 'none' ? '' : randomBytes(256).toString('base64url');
  return `${encode({ alg, typ: 'at+jwt', kid })}.${encode(claims)}.${signature}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
