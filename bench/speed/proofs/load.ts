import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import autocannon from 'autocannon';
import { expose } from '../../support/remote.js';
import { CONNECTIONS } from '../settings.js';
import { TokenSigner, type Signer } from '../tokens/signing.js';
import { PUBLIC_HOST, PUBLIC_URL } from './variants.js';

/** Where to send how much. */
export interface ProofLoadOrder {
  readonly port: number;
  readonly isProven: boolean;
  readonly requests: number;
}

/** Requests with proofs, each made before its run; from a process of its own. */
export class ProofLoad {
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #header = this.#encodedHeader();
  #bound = '';
  #bearer = '';

  /** Signs the two tokens that all requests carry. */
  prepare(audience: string, signers: readonly Signer[]): void {
    const order = { alg: 'ES256', audience, signers, count: 2 } as const;
    this.#bearer = new TokenSigner(order).sign(0);
    this.#bound = new TokenSigner({ ...order, claims: { cnf: { jkt: this.#thumbprint() } } }).sign(1);
  }

  /** @returns requests answered per second */
  async run({ port, isProven, requests }: ProofLoadOrder): Promise<number> {
    const each = Math.ceil(requests / CONNECTIONS);
    const shares = Array.from({ length: CONNECTIONS }, () =>
      Array.from({ length: each }, () => ({ headers: isProven ? this.#proven() : this.#plain() })),
    );
    let client = 0;
    const begun = performance.now();
    const { non2xx, errors } = await autocannon({
      url: `http://127.0.0.1:${port}/`,
      connections: CONNECTIONS,
      amount: each * CONNECTIONS,
      // How often it looks whether all has been answered, in milliseconds.
      sampleInt: 20,
      setupClient: (one) => one.setRequests(shares[client++] ?? []),
    });
    if (errors > 0 || non2xx > 0) throw new Error(`${errors} errors, ${non2xx} answers that are not 2xx`);
    return (each * CONNECTIONS * 1000) / (performance.now() - begun);
  }

  #plain(): Record<string, string> {
    return { authorization: `Bearer ${this.#bearer}`, host: PUBLIC_HOST };
  }

  #proven(): Record<string, string> {
    const claims = {
      jti: randomUUID(),
      htm: 'GET',
      htu: PUBLIC_URL,
      iat: Math.floor(Date.now() / 1000),
      ath: createHash('sha256').update(this.#bound).digest('base64url'),
    };
    const signed = `${this.#header}.${encode(claims)}`;
    const proof = `${signed}.${signatureOf(signed, this.#keys.privateKey)}`;
    return { authorization: `DPoP ${this.#bound}`, dpop: proof, host: PUBLIC_HOST };
  }

  #encodedHeader(): string {
    return encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: this.#keys.publicKey.export({ format: 'jwk' }) });
  }

  #thumbprint(): string {
    const { crv, kty, x, y } = this.#keys.publicKey.export({ format: 'jwk' });
    return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
  }
}

function signatureOf(text: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

expose(new ProofLoad());
