import { deepEqual, equal } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { AuthErrorCode } from 'nestjs-resilient-auth';
import { TestIssuer, type TestIssuerModuleOptions } from 'nestjs-resilient-auth/testing';
import type { Response } from 'supertest';
import { afterAll, beforeAll } from 'vitest';
import { Api } from './api.js';
import { platforms, type CreateApplication } from './platforms.js';
import { compact, makeSigner, type Part, type Sign, type Signer } from '../issuers/signer.js';

export interface BenchSettings {
  readonly create?: CreateApplication;
  /** Algorithm of the key the test holds. */
  readonly alg?: string;
  readonly options?: Partial<TestIssuerModuleOptions>;
}

/**
 * An API and an issuer whose signing key the test holds, so that an attack can carry a signature that is right: what
 * is refused is refused for its own reason.
 */
export class Bench implements AsyncDisposable {
  private constructor(
    readonly issuer: TestIssuer,
    readonly api: Api,
    readonly signer: Signer,
  ) {}

  static async open({ create = platforms[0].create, alg = 'ES256', options = {} }: BenchSettings = {}) {
    const issuer = await TestIssuer.start({ audience: 'api', alg: 'ES256' });
    const signer = makeSigner(alg);
    issuer.publishRaw(signer.jwk);
    // Plenty, so that no attack waits for its turn.
    const metadata = { refreshBurst: 100, ...options.metadata };
    const api = await Api.start(create, issuer.options({ ...options, metadata }));
    return new Bench(issuer, api, signer);
  }

  /** The claims of a good access token, under the given ones; `undefined` takes one out. */
  claims(overrides: Readonly<Record<string, unknown>> = {}): object {
    const now = Math.floor(Date.now() / 1000);
    const profile = { sub: 'alice', client_id: 'shop', jti: randomUUID() };
    return { iss: this.issuer.url, aud: 'api', iat: now, exp: now + 300, ...profile, ...overrides };
  }

  /** The header of a good access token, under the given members. */
  header(overrides: Readonly<Record<string, unknown>> = {}): object {
    const { alg, kid } = this.signer;
    return { alg, typ: 'at+jwt', kid, ...overrides };
  }

  /** A token of these claims, signed by the published key. */
  token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): string {
    return this.raw(this.header(header), this.claims(claims));
  }

  /** A token over exactly these parts, signed by the published key unless another is given. */
  raw(header: Part, payload: Part, sign: Sign = this.signer.sign): string {
    return compact(header, payload, sign);
  }

  /** Publishes a key that the API has not seen. */
  publish<T extends Signer>(signer: T): T {
    this.issuer.publishRaw(signer.jwk);
    return signer;
  }

  /** A token of a key other than the bench's own. */
  tokenBy(signer: Signer, header: Readonly<Record<string, unknown>> = {}): string {
    const { alg, kid } = signer;
    return this.raw(this.header({ alg, kid, ...header }), this.claims(), signer.sign);
  }

  async admits(token: string, path = '/orders'): Promise<Response> {
    const response = await this.api.get(path, token);
    deepEqual(
      { status: response.status, errorCode: response.body.errorCode },
      { status: 200, errorCode: undefined },
    );
    return response;
  }

  /** Refused for this very reason; and unless the key was the question, without a call to the issuer. */
  async refuses(token: string, errorCode: AuthErrorCode, path = '/orders', status = 401): Promise<Response> {
    const calls = this.issuer.requests.length;
    const response = await this.api.get(path, token);
    deepEqual({ status: response.status, errorCode: response.body.errorCode }, { status, errorCode });
    if (errorCode !== 'AUTH_TOKEN_SIGNATURE_INVALID') equal(this.issuer.requests.length, calls);
    return response;
  }

  /** Rejects a token whose key serves another algorithm; the issuer may be asked whether it still does. */
  async rejectsAlgorithm(token: string): Promise<void> {
    const { status, body } = await this.api.get('/orders', token);
    deepEqual([status, body.errorCode], [401, 'AUTH_TOKEN_ALGORITHM_REFUSED']);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
    await this.issuer.close();
  }
}

/** One bench for all tests of a group: attacks leave nothing behind. */
export function useBench(settings: BenchSettings = {}): () => Bench {
  let bench: Bench | undefined;
  beforeAll(async () => {
    bench = await Bench.open(settings);
  });
  afterAll(() => bench?.[Symbol.asyncDispose]());
  return () => {
    if (!bench) throw new Error('The bench is open while tests run');
    return bench;
  };
}
