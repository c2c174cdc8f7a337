import type { JsonWebKey } from 'node:crypto';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { expose } from '../../support/remote.js';
import type { Algorithm } from './algorithms.js';

/** Where an issuer is, as an operator would configure it. */
export interface Trust {
  readonly alg: Algorithm;
  readonly issuer: string;
  readonly jwksUri: string;
  readonly audience: string;
}

/** The issuers, in a process of their own. They sign nothing: tokens are made where they are needed. */
export class Issuers {
  readonly #opened = new Map<string, TestIssuer>();

  /** An issuer that publishes these keys, and no other. */
  async open(alg: Algorithm, keys: readonly JsonWebKey[]): Promise<Trust> {
    const issuer = await TestIssuer.start({ alg });
    const { kid } = await issuer.signingKey();
    for (const key of keys) issuer.publishRaw(key);
    issuer.removeKey(kid);
    this.#opened.set(issuer.url, issuer);
    return { alg, issuer: issuer.url, jwksUri: issuer.jwksUri, audience: String(issuer.audience) };
  }

  /** Has an issuer answer with this key set from now on. */
  replaceKeySet(issuer: string, body: string): void {
    const opened = this.#opened.get(issuer);
    opened?.recover();
    opened?.fail({ endpoint: 'jwks', mode: { body } });
  }
}

// Imported elsewhere for its types alone, this file runs only as a process.
expose(new Issuers());
