import { Child } from '../../support/child.js';
import { remote, type Remote } from '../../support/remote.js';
import { makeKeyPair, type Algorithm, type KeyPair } from './algorithms.js';
import type { Issuers, Trust } from './issuer-process.js';
import type { Signer } from './signing.js';

/** An issuer, and what it takes to sign for it. */
export interface Authority {
  readonly trust: Trust;
  readonly keys: readonly [KeyPair, ...KeyPair[]];
  readonly signers: readonly Signer[];
}

/** Opens issuers in a process of their own. */
export class Authorities implements AsyncDisposable {
  private constructor(
    private readonly child: Child,
    private readonly issuers: Remote<Issuers>,
  ) {}

  static async start(): Promise<Authorities> {
    const child = await Child.start(new URL('issuer-process.js', import.meta.url));
    return new Authorities(child, remote<Issuers>(child.process));
  }

  async open(alg: Algorithm, keyCount = 1): Promise<Authority> {
    const make = (index: number): KeyPair =>
      makeKeyPair(alg, `${alg.toLowerCase()}-${String(index).padStart(4, '0')}`);
    const others = Array.from({ length: keyCount - 1 }, (_, index) => make(index + 1));
    const keys = [make(0), ...others] as const;
    const trust = await this.issuers.open(
      alg,
      keys.map(({ jwk }) => jwk),
    );
    const signers = keys.map(({ kid, privatePem }) => ({ issuer: trust.issuer, kid, privatePem }));
    return { trust, keys: [...keys], signers };
  }

  /** Has an issuer answer with this key set from now on. */
  replaceKeySet(issuer: string, body: string): Promise<void> {
    return this.issuers.replaceKeySet(issuer, body);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child.end();
  }
}
