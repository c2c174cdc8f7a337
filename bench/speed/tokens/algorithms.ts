import { constants, generateKeyPairSync, type JsonWebKey } from 'node:crypto';

export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** How OpenSSL is asked for an algorithm. */
export interface Recipe {
  readonly digest: string | null;
  readonly options: {
    readonly padding?: number;
    readonly saltLength?: number;
    readonly dsaEncoding?: 'ieee-p1363';
  };
}

export const RECIPES: Readonly<Record<Algorithm, Recipe>> = {
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  PS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  ES256: { digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  EdDSA: { digest: null, options: {} },
};

/** A key pair, in forms that can be sent to another process. */
export interface KeyPair {
  readonly kid: string;
  readonly alg: Algorithm;
  /** The member of the key set. */
  readonly jwk: JsonWebKey;
  readonly publicPem: string;
  readonly privatePem: string;
}

/** RSA keys of 2048 bits, as all the big issuers have them. */
export function makeKeyPair(alg: Algorithm, kid: string): KeyPair {
  const { publicKey, privateKey } = pairFor(alg);
  return {
    kid,
    alg,
    jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' },
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function pairFor(alg: Algorithm) {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}
