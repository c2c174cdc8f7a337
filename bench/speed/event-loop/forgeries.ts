import { makeKeyPair } from '../tokens/algorithms.js';
import type { Authority } from '../tokens/authority.js';
import { TokenSigner } from '../tokens/signing.js';

/** Tokens of an authority, each its own. */
export function tokensOf({ trust: { alg, audience }, signers }: Authority, count: number): string[] {
  const signer = new TokenSigner({ alg, audience, signers, count });
  return Array.from({ length: count }, (_, index) => signer.sign(index));
}

/** The same issuer and kid, and a key that is not the issuer's. */
export function forger(authority: Authority): Authority {
  const { privatePem } = makeKeyPair(authority.trust.alg, 'forged');
  return { ...authority, signers: authority.signers.map((signer) => ({ ...signer, privatePem })) };
}
