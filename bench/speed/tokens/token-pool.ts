import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { TokenSigner, type TokenOrder } from './signing.js';
import type { TokenShare } from './token-worker.js';

/** A pool in a file. */
export interface PoolFile {
  readonly path: string;
  readonly length: number;
  readonly count: number;
}

/**
 * Many tokens in one piece of memory outside the heap. Each call of {@link token} makes a new string, as each HTTP
 * request does: a reused string would keep its cached hash, and a million strings would fill the heap.
 */
export class TokenPool {
  private constructor(
    private readonly bytes: Buffer,
    readonly length: number,
    readonly count: number,
  ) {}

  /** Signs in as many threads as there are processors. */
  static async sign(order: TokenOrder): Promise<TokenPool> {
    const { length } = new TokenSigner(order).sign(0);
    const memory = new SharedArrayBuffer(length * order.count);
    const threads = availableParallelism();
    const bound = (part: number): number => Math.floor((order.count * part) / threads);
    const shares = Array.from({ length: threads }, (_, part): TokenShare => {
      return { order, memory, length, from: bound(part), to: bound(part + 1) };
    });
    await Promise.all(shares.map(signShare));
    return new TokenPool(Buffer.from(memory), length, order.count);
  }

  /** Tokens of at least this many characters, and few more: base64url does not come in every length. */
  static signOfLength(order: TokenOrder, length: number): Promise<TokenPool> {
    let filler = 1;
    while (new TokenSigner({ ...order, filler }).sign(0).length < length) filler += 1;
    return TokenPool.sign({ ...order, filler });
  }

  static async load({ path, length, count }: PoolFile): Promise<TokenPool> {
    return new TokenPool(await readFile(path), length, count);
  }

  async save(path: string): Promise<PoolFile> {
    await writeFile(path, this.bytes);
    return { path, length: this.length, count: this.count };
  }

  /** The token of this number; numbers past the end start over. */
  token(index: number): string {
    const begin = (index % this.count) * this.length;
    return this.bytes.toString('latin1', begin, begin + this.length);
  }
}

async function signShare(share: TokenShare): Promise<void> {
  const worker = new Worker(new URL('token-worker.js', import.meta.url), { workerData: share });
  const [code]: number[] = await once(worker, 'exit');
  if (code !== 0) throw new Error(`Signing tokens ended with code ${code}`);
}
