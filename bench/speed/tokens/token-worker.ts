import { workerData } from 'node:worker_threads';
import { TokenSigner, type TokenOrder } from './signing.js';

/** A share of an order, for one thread. */
export interface TokenShare {
  readonly order: TokenOrder;
  readonly from: number;
  readonly to: number;
  /** Where all tokens of the order go, one after the other. */
  readonly memory: SharedArrayBuffer;
  readonly length: number;
}

const share: TokenShare = workerData;
const { order, from, to, memory, length } = share;
const bytes = Buffer.from(memory);
const signer = new TokenSigner(order);
for (let index = from; index < to; index += 1) {
  const token = signer.sign(index);
  if (token.length !== length)
    throw new Error(`Token ${index} has ${token.length} characters, not ${length}`);
  bytes.write(token, index * length, 'latin1');
}
