import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { asError } from '../../../errors/as-error.js';
import { oneLine } from '../../../errors/one-line.js';
import { ProofError, ReplayStoreUnavailableError } from '../../../errors/request.errors.js';
import type { ReplayStore } from '../../../features/dpop-options.js';
import type { Clock } from '../../../time/clock.js';

/** Milliseconds: a store is in the same data centre, or no help. */
const DEADLINE = 1000;
/** Milliseconds without a failure before the store counts as working: one client at its bound must not fill the log. */
const RECOVERY = 10_000;

/** Has each proof accepted once. Every call of the store is bounded, and a fault is never a pass. */
export class ReplayGuard {
  readonly #logger = new Logger('ReplayStore');
  /** On the monotonic clock; `undefined` while it works. */
  #failedAt: number | undefined;

  constructor(
    private readonly store: ReplayStore,
    private readonly clock: Clock,
  ) {}

  /**
   * Records a proof that has passed everything else.
   *
   * @param expiresAt milliseconds since the epoch; from then on the proof is not accepted anyway
   * @throws {ProofError} it has been used before
   * @throws {ReplayStoreUnavailableError} the store failed, did not answer in time, or has no room
   */
  async assertFirstUse(thumbprint: string, jti: string, expiresAt: number): Promise<void> {
    // A thumbprint holds no dot.
    const key = hash('sha256', `${thumbprint}.${jti}`, 'base64url');
    if (await this.#add(key, expiresAt, thumbprint)) return;
    throw new ProofError('AUTH_PROOF_REPLAYED', 'The proof has been used before');
  }

  async #add(key: string, expiresAt: number, client: string): Promise<boolean> {
    try {
      const isNew: unknown = await this.#withDeadline(key, expiresAt, client);
      if (typeof isNew !== 'boolean') throw new TypeError('The replay store returned no boolean');
      this.#succeeded();
      return isNew;
    } catch (thrown) {
      const cause = asError(thrown);
      this.#failed(cause);
      throw new ReplayStoreUnavailableError('The replay store could not record the proof', { cause });
    }
  }

  /** State changes only: in an outage each request would log a line. */
  #failed({ message }: Error): void {
    if (this.#failedAt === undefined)
      this.#logger.warn(`replay store failed, proofs are answered 503: ${oneLine(message, 200)}`);
    this.#failedAt = this.clock.monotonic();
  }

  #succeeded(): void {
    if (this.#failedAt === undefined || this.clock.monotonic() - this.#failedAt < RECOVERY) return;
    this.#failedAt = undefined;
    this.#logger.log('replay store works again');
  }

  #withDeadline(key: string, expiresAt: number, client: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimeout(
        () => reject(new Error(`The replay store did not answer within ${DEADLINE} ms`)),
        DEADLINE,
      );
      // In a function, so that a store that throws at once counts as one that rejects.
      const added = (async () => this.store.add(key, expiresAt, client))();
      added.then(resolve, reject).finally(() => this.clock.clearTimeout(timer));
    });
  }
}
