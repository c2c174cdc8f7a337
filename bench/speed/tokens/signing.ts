import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { RECIPES, type Algorithm } from './algorithms.js';

/** One key of one issuer. */
export interface Signer {
  readonly issuer: string;
  readonly kid: string;
  readonly privatePem: string;
}

/** Tokens to be made: all different, all of one length. */
export interface TokenOrder {
  readonly alg: Algorithm;
  readonly audience: string;
  /** They take turns. */
  readonly signers: readonly Signer[];
  readonly count: number;
  /** Characters of a claim that only fills the token up. */
  readonly filler?: number;
  /** Laid over the claims, for tokens that have to be refused. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

const LIFETIME = 24 * 3600;

/** Makes the tokens of an order by their number. */
export class TokenSigner {
  readonly #keys: readonly KeyObject[];
  readonly #issuedAt = Math.floor(Date.now() / 1000);

  constructor(private readonly order: TokenOrder) {
    this.#keys = order.signers.map(({ privatePem }) => createPrivateKey(privatePem));
  }

  sign(index: number): string {
    const { alg, signers } = this.order;
    const turn = index % signers.length;
    const signer = signers[turn];
    const key = this.#keys[turn];
    if (!signer || !key) throw new Error('A token needs a key to sign it');
    const header = { alg, typ: 'at+jwt', kid: signer.kid };
    const signed = `${encode(header)}.${encode(this.#claims(signer.issuer, index))}`;
    const { digest, options } = RECIPES[alg];
    return `${signed}.${sign(digest, Buffer.from(signed), { key, ...options }).toString('base64url')}`;
  }

  /** What RFC 9068 §2.2 asks for, and what an API looks at. */
  #claims(iss: string, index: number): object {
    const { audience: aud, filler = 0, claims } = this.order;
    const serial = String(index).padStart(12, '0');
    return {
      iss,
      aud,
      sub: `user-${serial}`,
      client_id: 'orders-web',
      scope: 'openid orders:read orders:write',
      roles: ['customer'],
      iat: this.#issuedAt,
      exp: this.#issuedAt + LIFETIME,
      jti: `7d0c52f1-6d5e-4b3a-9f8e-${serial}`,
      ...(filler > 0 && { rh: 'x'.repeat(filler) }),
      ...claims,
    };
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
