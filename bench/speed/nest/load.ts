import autocannon from 'autocannon';
import { expose } from '../../support/remote.js';
import { CONNECTIONS } from '../settings.js';
import type { Algorithm } from '../tokens/algorithms.js';
import { TokenPool, type PoolFile } from '../tokens/token-pool.js';
import { Wrk } from './wrk.js';

/** Connections open and the first requests answered: not counted. */
const RAMP = 0.15;
/** How often autocannon looks whether it has been stopped, in milliseconds. */
const LOOK = 20;

/** Where to send how much. */
export interface LoadOrder {
  readonly alg: Algorithm;
  readonly port: number;
  /** Tokens in rotation, from the start of the pool. */
  readonly rotation: number;
  readonly seconds: number;
}

/** The result of a load. */
export interface LoadResult {
  readonly perSecond: number;
  /** All that were answered, the ramp included. */
  readonly answered: number;
}

/** The load, from a process of its own: `wrk` where it is installed, otherwise autocannon. */
export class Load {
  readonly #pools = new Map<Algorithm, TokenPool>();
  readonly #files = new Map<Algorithm, PoolFile>();
  /** How far each service has come in its rotation. */
  readonly #position = new Map<number, number>();
  #wrk: Wrk | undefined;

  /** @returns the name of the generator. @param directory for files of its own */
  async prepare(directory: string): Promise<string> {
    this.#wrk = await Wrk.find(directory);
    return this.#wrk ? 'wrk' : 'autocannon';
  }

  async use(alg: Algorithm, file: PoolFile): Promise<void> {
    this.#files.set(alg, file);
    if (!this.#wrk) this.#pools.set(alg, await TokenPool.load(file));
  }

  run(order: LoadOrder): Promise<LoadResult> {
    return this.#wrk ? this.#runWrk(this.#wrk, order) : this.#runAutocannon(order);
  }

  async #runWrk(wrk: Wrk, { alg, port, rotation, seconds }: LoadOrder): Promise<LoadResult> {
    const file = this.#files.get(alg);
    if (!file) throw new Error('There are no tokens to send');
    const position = this.#position.get(port) ?? 0;
    const result = await wrk.run(port, file, rotation, position, Math.max(1, Math.round(seconds)));
    // Those under way at the end have been sent, too.
    this.#position.set(port, position + result.answered + CONNECTIONS);
    return result;
  }

  async #runAutocannon({ alg, port, rotation, seconds }: LoadOrder): Promise<LoadResult> {
    const position = this.#position.get(port) ?? 0;
    const shares = this.#shares(alg, rotation, position);
    let client = 0;
    const options = {
      url: `http://127.0.0.1:${port}/`,
      connections: CONNECTIONS,
      duration: 3600,
      sampleInt: LOOK,
      setupClient: (each: autocannon.Client) => each.setRequests(shares[client++] ?? []),
    };
    const { perSecond, answered } = await fire(options, seconds);
    // Connections progress unevenly; the next run starts behind the most advanced one.
    this.#position.set(port, position + Math.ceil(answered / CONNECTIONS) + 2);
    return { perSecond, answered };
  }

  /** Every connection has tokens of its own, so that none comes along twice in one rotation. */
  #shares(alg: Algorithm, rotation: number, position: number): autocannon.Request[][] {
    const pool = this.#pools.get(alg);
    if (!pool) throw new Error('There are no tokens to send');
    const size = Math.floor(rotation / CONNECTIONS);
    return Array.from({ length: CONNECTIONS }, (_, share) =>
      Array.from({ length: size }, (_, index) => {
        const token = pool.token(share * size + ((position + index) % size));
        return { headers: { authorization: `Bearer ${token}` } };
      }),
    );
  }
}

/** Counts from the end of the ramp, for this many seconds. */
function fire(options: autocannon.Options, seconds: number): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    let counted = 0;
    let begun = 0;
    let perSecond = Number.NaN;
    const run = autocannon(options, (_error, { errors, non2xx, statusCodeStats }) => {
      if (errors === 0 && non2xx === 0) resolve({ perSecond, answered });
      else reject(new Error(`${options.url}: ${errors} errors, ${JSON.stringify(statusCodeStats)}`));
    });
    run.on('response', () => (answered += 1));
    setTimeout(() => {
      begun = performance.now();
      counted = answered;
    }, RAMP * 1000);
    setTimeout(
      () => {
        perSecond = ((answered - counted) * 1000) / (performance.now() - begun);
        run.stop();
      },
      (RAMP + seconds) * 1000,
    );
  });
}

expose(new Load());
