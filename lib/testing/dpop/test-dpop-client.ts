import { createHash, randomUUID } from 'node:crypto';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type CryptoKey,
  type JWK,
  type KeyInput,
} from 'jose';
import type { Clock } from '../../time/clock.js';
import { signCompact, type SignOptions, type TestClaims } from '../test-issuer.tokens.js';

/** What a {@link TestDpopClient} makes a proof for. */
export interface TestProofOptions {
  /** Default `'GET'`. */
  method?: string | undefined;
  /** The address as the client sees it: `publicUrl` and the path. */
  url: string;
  /** The access token that the proof goes with; without one the proof has no `ath`. */
  token?: string | undefined;
  /** As the API has sent it in `DPoP-Nonce`. Default none. */
  nonce?: string | undefined;
  /** Laid over the claims; `undefined` takes one out. */
  claims?: TestClaims | undefined;
  /** Laid over the header; `undefined` takes a member out. */
  header?: Readonly<Record<string, unknown>> | undefined;
  /** Sign with this key and leave the header as it would have been: a forgery. Default: the client's own key. */
  key?: KeyInput | undefined;
}

/** The headers of a request. Not an interface, which `fetch` does not take as its headers. */
export type TestDpopHeaders = {
  readonly authorization: string;
  readonly dpop: string;
};

/** Signs an access token, as `TestIssuer.sign` does. */
export type SignToken = (claims: TestClaims, options?: SignOptions) => Promise<string>;

/** A client with a key of its own, for tests of routes that take bound tokens; made by `TestIssuer.dpopClient()`. */
export class TestDpopClient {
  private constructor(
    /** The public key, as proofs carry it. */
    readonly jwk: Readonly<JWK>,
    /** `jkt` of the tokens that are bound to it (RFC 7638). */
    readonly thumbprint: string,
    readonly alg: string,
    private readonly privateKey: CryptoKey,
    private readonly signToken: SignToken,
    private readonly clock: Clock,
  ) {}

  /** @param signToken of the issuer */
  static async create(alg: string, signToken: SignToken, clock: Clock): Promise<TestDpopClient> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = Object.freeze(await exportJWK(publicKey));
    return new TestDpopClient(jwk, await calculateJwkThumbprint(jwk), alg, privateKey, signToken, clock);
  }

  /** Signs an access token that is bound to this client's key, as `TestIssuer.sign` does otherwise. */
  sign(claims: TestClaims = {}, options: SignOptions = {}): Promise<string> {
    return this.signToken({ cnf: { jkt: this.thumbprint }, ...claims }, options);
  }

  /** Makes a proof for one request (RFC 9449 §4.2). */
  proof({ method = 'GET', url, token, nonce, claims, header, key }: TestProofOptions): Promise<string> {
    const said = {
      jti: randomUUID(),
      htm: method,
      htu: url,
      iat: Math.floor(this.clock.now() / 1000),
      ath: token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'),
      nonce,
      ...claims,
    };
    const protectedHeader = { typ: 'dpop+jwt', alg: this.alg, jwk: this.jwk, ...header };
    return signCompact(said, protectedHeader, key ?? this.privateKey);
  }

  /** Makes the headers of one request: the token and its proof. */
  async headers(options: TestProofOptions & { token: string }): Promise<TestDpopHeaders> {
    return { authorization: `DPoP ${options.token}`, dpop: await this.proof(options) };
  }
}
