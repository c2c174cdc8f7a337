import { withFixedText } from '../../errors/auth.error.js';
import { MetadataUnavailableError } from '../../errors/metadata.errors.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { Clock } from '../../time/clock.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { CurrentMetadata } from './current-metadata.js';
import type { MetadataRefresher } from './metadata-refresher.js';
import type { NegativeCache } from './negative-cache.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import type { RefreshLimits } from './refresh-limits.js';
import {
  decide,
  isSatisfiedBy,
  isWithoutKid,
  requestedKid,
  type RequestStart,
  type TimedRequest,
  type Waiter,
} from './refresh-request.js';
import { WaitQueue } from './wait-queue.js';

const CALLER_GONE = 'The client closed the connection before the refresh ended';

/** Answers requests that the current snapshot does not satisfy: each waits for the refresh that may, within its deadline. */
export class OnDemandRefresh {
  readonly #waiting: WaitQueue;
  /** The attempt that waiting requests have joined last. */
  #joined: RefreshAttempt | undefined;

  constructor(
    private readonly options: ResolvedMetadataOptions,
    private readonly clock: Clock,
    private readonly current: CurrentMetadata,
    private readonly limits: RefreshLimits,
    private readonly missingKids: NegativeCache,
    private readonly refresher: MetadataRefresher,
  ) {
    this.#waiting = new WaitQueue(
      clock,
      (waiter) => this.#settle(waiter, 'The refresh took too long'),
      ({ reject }) => reject(this.unavailable(CALLER_GONE)),
    );
  }

  /** Requests waiting. */
  get waiting(): number {
    return this.#waiting.size;
  }

  requestStart(): RequestStart {
    const deadline = this.clock.monotonic() + this.options.refreshWait;
    return { started: this.refresher.started, deadline };
  }

  /** @throws {MetadataUnavailableError} when there is no answer within `refreshWait` */
  async request(request: TimedRequest): Promise<IssuerMetadata> {
    const now = this.requestStart();
    const { started, deadline } = request.start ?? now;
    const start = { started, deadline: Math.min(deadline, now.deadline) };
    const known = this.#answerNow(request);
    if (known) return known;
    if (request.closed?.aborted) throw this.unavailable(CALLER_GONE);
    if (this.#isFull(request)) throw this.unavailable('Too many requests wait for a refresh');
    const attempt = this.#join(request, start);
    if (!attempt) {
      const usable = this.#isAboutWithdrawn(request) ? this.current.usable() : undefined;
      if (usable) return usable;
      throw this.#notPermitted();
    }
    request.onWait?.();
    return new Promise((resolve, reject) => this.#waiting.add({ request, start, attempt, resolve, reject }));
  }

  /** The error for what could not be checked, with the seconds after which another request may succeed. */
  unavailable(message: string, cause?: Error): MetadataUnavailableError {
    const now = this.clock.monotonic();
    const seconds = Math.ceil((this.limits.onDemandAt(now) - now) / 1000);
    return withFixedText(new MetadataUnavailableError(message, Math.max(1, seconds), { cause }));
  }

  /** Decides anew about all waiting requests: after an attempt has settled, or the snapshot has changed. */
  decideAll(): void {
    const usable = this.current.usable();
    for (const waiter of this.#waiting) this.#decide(waiter, usable);
  }

  /** Wrong signatures, which an attacker can send at will, get half of the queue at most. */
  #isFull({ reason }: TimedRequest): boolean {
    const { maxWaiting } = this.options;
    if (this.#waiting.size >= maxWaiting) return true;
    return reason === 'bad-signature' && this.#waiting.badSignatures >= maxWaiting / 2;
  }

  /** What can be answered without a refresh. */
  #answerNow(request: TimedRequest): IssuerMetadata | undefined {
    const usable = this.current.usable();
    if (!usable || !request.stale) return undefined;
    if (usable !== request.stale && isSatisfiedBy(usable, request)) return usable;
    if (request.reason === 'key-not-found' && !this.options.refreshOnKeyNotFound) return usable;
    const kid = requestedKid(request);
    if (kid === undefined) return undefined;
    const isMissing = this.missingKids.has(kid, this.clock.monotonic());
    return isMissing || usable.skippedWithId(kid) ? usable : undefined;
  }

  /** As after a wrong signature, a check that is not permitted or fails leaves the finding of the last one: absent. */
  #isAboutWithdrawn(request: TimedRequest): boolean {
    const kid = requestedKid(request);
    return kid !== undefined && request.stale !== undefined && this.missingKids.isWithdrawn(kid);
  }

  /** The attempt that may answer a request; `undefined` when none is permitted in time. */
  #join(request: TimedRequest, { deadline }: RequestStart): RefreshAttempt | undefined {
    const isBadSignature = request.reason === 'bad-signature';
    const attempt =
      isBadSignature || this.#isAboutWithdrawn(request)
        ? this.refresher.joinAboveReserve(request.kid)
        : this.refresher.join(deadline);
    if (!attempt) return undefined;
    if (!isBadSignature) attempt.needsProofOfAbsence = true;
    if (isWithoutKid(request)) attempt.needsNewKey = true;
    const kid = requestedKid(request);
    if (kid !== undefined && attempt.requestedKids.size < this.options.maxWaiting)
      attempt.requestedKids.add(kid);
    if (this.#joined !== attempt) {
      this.#joined = attempt;
      void attempt.settled.then(() => this.#settled(attempt));
    }
    return attempt;
  }

  #settled(attempt: RefreshAttempt): void {
    if (this.#joined === attempt) this.#joined = undefined;
    this.decideAll();
  }

  #decide(waiter: Waiter, usable: IssuerMetadata | undefined): void {
    const decision = decide(waiter, usable);
    switch (decision.type) {
      case 'wait':
        return;
      case 'resolve':
        this.#waiting.resolve(waiter, () => this.#settle(waiter, 'The metadata has expired'));
        return;
      case 'wait-for-next': {
        const attempt = this.#join(waiter.request, waiter.start);
        if (attempt) waiter.attempt = attempt;
        else
          this.#waiting.reject(waiter, () =>
            this.#settle(waiter, this.#notPermitted(), this.#isAboutWithdrawn(waiter.request)),
          );
        return;
      }
      case 'absent': {
        const kid = requestedKid(waiter.request);
        // What was published while the attempt ran may have been missed: the finding is as old as the attempt.
        if (kid !== undefined) this.missingKids.add(kid, waiter.attempt.startedAt);
        this.#waiting.reject(waiter, () => this.#settle(waiter, 'The metadata has expired', true));
        return;
      }
      case 'failed':
        this.#waiting.reject(waiter, () =>
          this.#settle(
            waiter,
            this.unavailable('The refresh failed', decision.failure),
            this.#isAboutWithdrawn(waiter.request),
          ),
        );
    }
  }

  /**
   * Answers a request that has left the queue: with the current snapshot if that satisfies it now, for it may have changed
   * meanwhile, or if the request was checked; else with the error.
   */
  #settle(
    { request, resolve, reject }: Waiter,
    error: string | MetadataUnavailableError,
    isChecked = false,
  ): void {
    const usable = this.current.usable();
    if (usable && (isChecked || isSatisfiedBy(usable, request))) resolve(usable);
    else reject(typeof error === 'string' ? this.unavailable(error) : error);
  }

  #notPermitted(): MetadataUnavailableError {
    const { lastFailure } = this.current.state;
    return this.unavailable('No refresh is permitted soon enough', lastFailure?.error);
  }
}
