import { createPublicKey, verify } from 'node:crypto';
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier, type Algorithm as FastJwtAlgorithm } from 'fast-jwt';
import { importJWK, jwtVerify } from 'jose';
import jsonwebtoken, { type Algorithm as JsonWebTokenAlgorithm } from 'jsonwebtoken';
import type { Settings } from '../settings.js';
import type { Bind } from '../stopwatch.js';
import { startResilientAuth } from '../resilient-auth.js';
import { RECIPES } from '../tokens/algorithms.js';
import type { Authority } from '../tokens/authority.js';

/** One way of validating tokens of one issuer: signature, `alg`, `iss`, `aud`, `exp`. */
export interface Contender {
  readonly bind: Bind;
  /** Whether the tokens have been seen before. */
  readonly tokens: 'new' | 'known';
  /** Caches tokens: the cache is filled before measuring, so that the cost is that of a long run. */
  readonly remembers?: boolean;
  /** Checks the signature and nothing else. */
  readonly isLimit?: boolean;
}

export const LIMIT_SYNC = 'crypto.verify';
export const LIMIT_CALLBACK = 'crypto.verify, callback';
export const OURS = 'nestjs-resilient-auth';
export const OURS_KNOWN = 'nestjs-resilient-auth, known token';
/** With the API of OpenTelemetry and without an SDK. */
export const FAST_JWT_KNOWN = 'fast-jwt with cache, known token';

/** What a name in the tables stands for. */
export const isOurs = (name: string): boolean => name.startsWith(OURS);
export const isLimit = (name: string): boolean => name.startsWith(LIMIT_SYNC);
export const tokensOf = (name: string): Contender['tokens'] =>
  name.endsWith('known token') ? 'known' : 'new';

/** All libraries that support the algorithm, by the name in the tables. */
export async function contendersFor(
  authority: Authority,
  settings: Settings,
): Promise<Map<string, Contender>> {
  return new Map<string, Contender>([
    ...limits(authority),
    ...(await ours(authority, settings)),
    ...(await jose(authority)),
    ...jsonWebToken(authority),
    ...fastJwt(authority, settings),
    ...awsJwtVerify(authority),
  ]);
}

type Named = readonly [name: string, contender: Contender];

const each = (validate: (token: string) => unknown): Bind => {
  return (tokens) => (index) => validate(tokens[index] ?? '');
};

function partsOf(token: string): readonly [signed: Buffer, signature: Buffer] {
  const end = token.lastIndexOf('.');
  return [Buffer.from(token.slice(0, end)), Buffer.from(token.slice(end + 1), 'base64url')];
}

function assertGood(isGood: boolean | undefined): void {
  if (!isGood) throw new Error('Wrong signature');
}

/** The lower limit: the signature check alone, on prepared bytes. */
function limits({ trust, keys: [{ jwk }] }: Authority): Named[] {
  const { digest, options } = RECIPES[trust.alg];
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), ...options };
  const sync: Bind = (tokens) => {
    const parts = tokens.map(partsOf);
    return (index) => {
      const [signed, signature] = parts[index] ?? [Buffer.of(), Buffer.of()];
      assertGood(verify(digest, signed, key, signature));
    };
  };
  const callback: Bind = (tokens) => {
    const parts = tokens.map(partsOf);
    return (index) => {
      const [signed, signature] = parts[index] ?? [Buffer.of(), Buffer.of()];
      return new Promise<boolean>((resolve, reject) => {
        verify(digest, signed, key, signature, (error, isGood) => (error ? reject(error) : resolve(isGood)));
      }).then(assertGood);
    };
  };
  return [
    [LIMIT_SYNC, { bind: sync, tokens: 'new', isLimit: true }],
    [LIMIT_CALLBACK, { bind: callback, tokens: 'new', isLimit: true }],
  ];
}

async function ours({ trust }: Authority, { cacheMax }: Settings): Promise<Named[]> {
  const cold = await startResilientAuth([trust], { max: cacheMax });
  const hot = await startResilientAuth([trust]);
  return [
    [OURS, { bind: cold.bind, tokens: 'new', remembers: true }],
    [OURS_KNOWN, { bind: hot.bind, tokens: 'known', remembers: true }],
  ];
}

async function jose({ trust, keys: [{ jwk }] }: Authority): Promise<Named[]> {
  const { alg, issuer, audience } = trust;
  const options = { issuer, audience, algorithms: [alg] };
  const keyObject = createPublicKey({ key: jwk, format: 'jwk' });
  const cryptoKey = await importJWK(jwk, alg);
  return [
    ['jose, KeyObject', { bind: each((token) => jwtVerify(token, keyObject, options)), tokens: 'new' }],
    ['jose, CryptoKey', { bind: each((token) => jwtVerify(token, cryptoKey, options)), tokens: 'new' }],
  ];
}

/** Has no EdDSA. */
function jsonWebToken({ trust, keys: [{ publicPem }] }: Authority): Named[] {
  const { alg, issuer, audience } = trust;
  if (alg === 'EdDSA') return [];
  const options = { issuer, audience, algorithms: [alg satisfies JsonWebTokenAlgorithm] };
  const keyObject = createPublicKey(publicPem);
  return [
    [
      'jsonwebtoken, PEM',
      { bind: each((token) => jsonwebtoken.verify(token, publicPem, options)), tokens: 'new' },
    ],
    [
      'jsonwebtoken, KeyObject',
      { bind: each((token) => jsonwebtoken.verify(token, keyObject, options)), tokens: 'new' },
    ],
  ];
}

function fastJwt({ trust, keys: [{ publicPem }] }: Authority, { cacheMax }: Settings): Named[] {
  const { alg, issuer, audience } = trust;
  const options = {
    key: publicPem,
    algorithms: [alg satisfies FastJwtAlgorithm],
    allowedIss: issuer,
    allowedAud: audience,
  };
  const plain = createVerifier(options);
  const cold = createVerifier({ ...options, cache: cacheMax });
  const hot = createVerifier({ ...options, cache: 10_000 });
  return [
    ['fast-jwt', { bind: each(plain), tokens: 'new' }],
    ['fast-jwt with cache', { bind: each(cold), tokens: 'new', remembers: true }],
    [FAST_JWT_KNOWN, { bind: each(hot), tokens: 'known', remembers: true }],
  ];
}

/** Has no PS256. */
function awsJwtVerify({ trust, keys: [{ jwk }] }: Authority): Named[] {
  const { alg, issuer, audience, jwksUri } = trust;
  if (alg === 'PS256') return [];
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri });
  verifier.cacheJwks({ keys: [{ kty: 'RSA', ...jwk }] });
  return [
    ['aws-jwt-verify, verifySync', { bind: each((token) => verifier.verifySync(token)), tokens: 'new' }],
    ['aws-jwt-verify, verify', { bind: each((token) => verifier.verify(token)), tokens: 'new' }],
  ];
}
