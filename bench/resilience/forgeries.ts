import { createPublicKey, generateKeyPairSync, randomBytes, sign, type JsonWebKey } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import type { TestIssuer } from 'nestjs-resilient-auth/testing';

interface KeySet {
  readonly keys: readonly (JsonWebKey & { readonly kid: string })[];
}

/** A genuine token's claims under `alg: none`, and under a signature made with an attacker's own key. */
export function unsigned(token: string): string[] {
  const [, payload = ''] = token.split('.');
  const header = decodeProtectedHeader(token);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const input = `${encode(header)}.${payload}`;
  const signature = sign('sha256', Buffer.from(input), privateKey).toString('base64url');
  return [`${encode({ ...header, alg: 'none' })}.${payload}.`, `${input}.${signature}`];
}

/** `HS256` keyed with the public key: the public key taken for a shared secret. */
export async function confused(issuer: TestIssuer, expiresIn: '3d'): Promise<string[]> {
  const { kid } = await issuer.signingKey();
  const { keys } = await publishedKeys(issuer);
  const jwk = keys.find((key) => key.kid === kid);
  if (!jwk) return [];
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  return [await issuer.sign({ sub: 'admin' }, { alg: 'HS256', key: Buffer.from(pem), expiresIn })];
}

/** Plausible in all but the key: known issuer, audience and times, a `kid` never seen, a signature of the right size. */
export function tokensOfUnknownKeys(token: string, count: number): string[] {
  const [, payload = ''] = token.split('.');
  const header = decodeProtectedHeader(token);
  return Array.from({ length: count }, () => {
    const kid = randomBytes(8).toString('hex');
    return `${encode({ ...header, kid })}.${payload}.${randomBytes(256).toString('base64url')}`;
  });
}

/** The key set as published. */
export async function publishedKeys({ jwksUri }: TestIssuer): Promise<KeySet> {
  const keySet: KeySet = JSON.parse(await (await fetch(jwksUri)).text());
  return keySet;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
