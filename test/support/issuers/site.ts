import type { IssuerOptions } from 'nestjs-resilient-auth';
import { compact, type Signer } from './signer.js';

/** What a site publishes, by address: a document, or a function that makes a whole answer. */
export type Documents = Readonly<Record<string, unknown>>;

/**
 * An issuer that exists as a `fetch` only, so that it can have the very https addresses of a real one. Every address it
 * is asked for is recorded; one it does not have is a 404.
 */
export class Site {
  readonly asked: string[] = [];
  #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  publish(documents: Documents): void {
    this.#documents = { ...this.#documents, ...documents };
  }

  /** For `metadata.fetch`. */
  readonly fetch: typeof globalThis.fetch = (input) => {
    const address = input instanceof Request ? input.url : String(input);
    this.asked.push(address);
    const document = this.#documents[address];
    if (typeof document === 'function') return Promise.resolve(Reflect.apply(document, undefined, []));
    if (document === undefined) return Promise.resolve(new Response('Not Found', { status: 404 }));
    return Promise.resolve(Response.json(document));
  };

  /** Options of a user, of one issuer or several, fetched from here. */
  serving<T extends Partial<IssuerOptions> | { readonly issuers: readonly IssuerOptions[] }>(options: T): T {
    if ('issuers' in options) {
      return { ...options, issuers: options.issuers.map((issuer) => this.serving(issuer)) };
    }
    return { ...options, metadata: { refreshBurst: 100, ...options.metadata, fetch: this.fetch } };
  }
}

/** A token as this signer's issuer would make it: nothing is filled in but the lifetime. */
export function tokenOf(
  signer: Signer,
  claims: Readonly<Record<string, unknown>>,
  header: Readonly<Record<string, unknown>> = {},
): string {
  const now = Math.floor(Date.now() / 1000);
  const { alg, kid } = signer;
  return compact({ alg, kid, ...header }, { iat: now, nbf: now, exp: now + 3600, ...claims }, signer.sign);
}
