import { makeKeyPair } from '../tokens/algorithms.js';
import type { Authority } from '../tokens/authority.js';
import { TokenSigner, type TokenOrder } from '../tokens/signing.js';
import type { Contender } from './contenders.js';

/**
 * Makes sure that every contender does the same work: the good token passes, and each of the bad ones is refused.
 *
 * @throws when a contender accepts a bad token
 */
export async function assertEqualChecks(
  { trust, signers }: Authority,
  contenders: ReadonlyMap<string, Contender>,
): Promise<void> {
  const good: TokenOrder = { alg: trust.alg, audience: trust.audience, signers, count: 1 };
  const { privatePem } = makeKeyPair(trust.alg, 'other');
  const forged = { ...good, signers: signers.map((signer) => ({ ...signer, privatePem })) };
  const bad: Readonly<Record<string, TokenOrder>> = {
    iss: { ...good, claims: { iss: 'https://elsewhere.example' } },
    aud: { ...good, claims: { aud: 'another-api' } },
    exp: { ...good, claims: { exp: 1_700_000_000 } },
  };
  for (const [name, { bind, isLimit }] of contenders) {
    if (!(await accepts(bind, good))) throw new Error(`${name} refuses a good token`);
    const orders = isLimit ? { signature: forged } : { ...bad, signature: forged };
    for (const [fault, order] of Object.entries(orders)) {
      if (await accepts(bind, order)) throw new Error(`${name} accepts a token whose ${fault} is wrong`);
    }
  }
}

async function accepts(bind: Contender['bind'], order: TokenOrder): Promise<boolean> {
  try {
    await bind([new TokenSigner(order).sign(0)])(0);
    return true;
  } catch {
    return false;
  }
}
