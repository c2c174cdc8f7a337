import {
  constants,
  createHmac,
  generateKeyPairSync,
  randomUUID,
  sign,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto';

/** Anything a part of a token can be made of: a value, its JSON text, or its bytes. */
export type Part = object | string | Uint8Array;

/** Turns a signing input into a signature. */
export type Sign = (input: string) => Buffer;

/** A key pair whose private half the test holds, and its member of a key set. */
export interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: JsonWebKey;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly sign: Sign;
}

/** What a key is made with; an `undefined` member is left out of the key set. */
export interface SignerOptions {
  readonly kid?: string;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly modulusLength?: number;
  readonly publicExponent?: number;
}

const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };

/** Makes a key for an algorithm. */
export function makeSigner(alg: string, options: SignerOptions = {}): Signer {
  const { kid = randomUUID(), members = {} } = options;
  const { publicKey, privateKey } = keyPair(alg, options);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig', ...members };
  return { kid, alg, jwk, publicKey, privateKey, sign: signWith(privateKey, alg) };
}

/** The same key pair under another `kid`, published with other members: an RSA key takes its time to make. */
export function republished(signer: Signer, members: Readonly<Record<string, unknown>>): Signer {
  const kid = randomUUID();
  return { ...signer, kid, jwk: { ...signer.jwk, kid, ...members } };
}

/** Signs as a JWS of this algorithm is signed (RFC 7518 §3), with any key. */
export function signWith(key: KeyObject, alg: string): Sign {
  const hash = `sha${alg.slice(-3)}`;
  if (alg.startsWith('ES'))
    return (input) => sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  if (alg.startsWith('Ed')) return (input) => sign(null, Buffer.from(input), key);
  if (alg.startsWith('RS')) return (input) => sign(hash, Buffer.from(input), key);
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
  return (input) => sign(hash, Buffer.from(input), { key, padding, saltLength });
}

/** An HMAC with any bytes as its secret. */
export function macWith(secret: string | Uint8Array, hash = 'sha256'): Sign {
  return (input) => createHmac(hash, secret).update(input).digest();
}

/** A compact JWS over exactly these parts. */
export function compact(header: Part, payload: Part, signature: Sign): string {
  return joined(encoded(header), encoded(payload), signature);
}

/** The same over parts that are spelled out already; the signature is right for that spelling. */
export function joined(header: string, payload: string, signature: Sign): string {
  const input = `${header}.${payload}`;
  return `${input}.${signature(input).toString('base64url')}`;
}

export function encoded(part: Part): string {
  if (part instanceof Uint8Array) return Buffer.from(part).toString('base64url');
  return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

function keyPair(alg: string, { modulusLength = 2048, publicExponent = 65_537 }: SignerOptions) {
  if (alg.startsWith('Ed')) return generateKeyPairSync('ed25519');
  const namedCurve = CURVES[alg];
  if (namedCurve !== undefined) return generateKeyPairSync('ec', { namedCurve });
  return generateKeyPairSync('rsa', { modulusLength, publicExponent });
}
