import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import type { Clock } from '../../../lib/time/clock.js';
import { exponential, type Random } from './random.js';

export const ISSUER = 'https://issuer.example';
export const FIRST_KEY = 'key-1';
const JWKS = `${ISSUER}/jwks`;

/** Milliseconds one way, to an identity provider on the internet. */
const NEAREST = 15;
const FARTHER = 15;

/** An identity provider behind simulated latency: real documents, no network. */
export class SimulatedIssuer {
  readonly #clock: Clock;
  readonly #random: Random;
  #published: readonly JsonWebKey[];
  #made = 1;
  /** While set, connections are refused. */
  isDown = false;
  /** Virtual times of the HTTP requests received. */
  readonly calls: number[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
    this.#published = [keyNamed(FIRST_KEY)];
  }

  /** Publishes a new key beside the one in use, and takes back the one before. @returns its `kid` */
  rollOver(): string {
    this.#made += 1;
    const kid = `key-${this.#made}`;
    this.#published = [...this.#published.slice(-1), keyNamed(kid)];
    return kid;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    await this.#travel();
    this.calls.push(this.#clock.monotonic());
    const answer = this.#answer(addressOf(input), new Headers(init?.headers).get('if-none-match'));
    await this.#travel();
    if (answer) return answer;
    throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  };

  #answer(address: string, known: string | null): Response | undefined {
    if (this.isDown) return undefined;
    const isJwks = address === JWKS;
    const etag = isJwks ? `"${this.#made}"` : '"discovery"';
    if (known === etag) return new Response(null, { status: 304, headers: { etag } });
    const document = isJwks ? { keys: this.#published } : { issuer: ISSUER, jwks_uri: JWKS };
    return new Response(JSON.stringify(document), { headers: { etag } });
  }

  #travel(): Promise<void> {
    const delay = NEAREST + exponential(this.#random, FARTHER);
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, delay);
    });
  }
}

function keyNamed(kid: string): JsonWebKey {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' };
}

function addressOf(input: Parameters<typeof globalThis.fetch>[0]): string {
  if (typeof input === 'string') return input;
  return input instanceof URL ? input.href : input.url;
}
