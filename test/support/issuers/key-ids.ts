import { createHash, randomBytes, type KeyObject } from 'node:crypto';

/** As Keycloak and Okta name keys: base64url of a SHA-256, 43 characters. */
export function sha256Kid(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

/** As Google names keys: 40 hexadecimal digits. */
export function hexKid(): string {
  return randomBytes(20).toString('hex');
}

/** As Cognito names keys: plain base64 with its padding. */
export function base64Kid(): string {
  let kid = '';
  while (!/[+/]/.test(kid)) kid = randomBytes(32).toString('base64');
  return kid;
}
