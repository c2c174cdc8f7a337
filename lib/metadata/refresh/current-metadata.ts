import { MetadataStoreError, type MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { Clock } from '../../time/clock.js';
import type { MetadataEventEmitter } from '../event-emitter.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { Replica } from '../store/lease-outcome.js';
import type { StoredMetadata } from '../store/metadata-store.js';
import { parseStored, type ParsedStored } from '../store/parse-stored.js';
import {
  acceptReading,
  adoptStored,
  changeBetween,
  EMPTY_STATE,
  fail,
  isNewer,
  isSuperseded,
  provesAbsence,
  succeed,
  usableSnapshot,
  type Freshness,
  type IssuerState,
} from './issuer-state.js';
import type { NegativeCache } from './negative-cache.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import { isPublished } from './refresh-request.js';
import type { RefreshLimits } from './refresh-limits.js';
import type { RefreshScheduler } from './scheduler.js';

/** A stored snapshot. */
interface Stored extends ParsedStored {
  /** Monotonic time from which its age counts. */
  readonly readAt: number;
}

/** Holds the state of one issuer: applies what attempts and the store found, and emits what changed. */
export class CurrentMetadata implements Replica {
  #state = EMPTY_STATE;
  #isExpiryEmitted = false;
  /** A stored snapshot too old to serve while the issuer can be reached. */
  #fallback: Stored | undefined;

  constructor(
    private readonly options: ResolvedMetadataOptions,
    private readonly clock: Clock,
    private readonly random: () => number,
    private readonly events: MetadataEventEmitter,
    private readonly limits: RefreshLimits,
    private readonly scheduler: RefreshScheduler,
    private readonly missingKids: NegativeCache,
  ) {}

  get state(): IssuerState {
    return this.#state;
  }

  get fence(): number {
    return this.#state.fence;
  }

  /** The current snapshot, if it may serve; emits once that it has expired. */
  usable(): IssuerMetadata | undefined {
    const { metadata } = this.#state;
    const usable = usableSnapshot(this.#state, this.clock.monotonic());
    if (usable || !metadata || this.#isExpiryEmitted) return usable;
    this.#isExpiryEmitted = true;
    this.events.emit({ type: 'metadata-expired', metadata });
    return undefined;
  }

  /** Replaces the current snapshot by a stored one, if that is newer and not too old to serve. */
  async adopt(stored: StoredMetadata): Promise<void> {
    try {
      const readAt = this.clock.monotonic();
      const parsed = await parseStored(stored, this.options, this.#state.metadata, this.clock.now());
      this.#adopt({ ...parsed, readAt }, false);
    } catch (error) {
      this.#refuse(error);
    }
  }

  backOff(retryAfter: number): void {
    this.limits.failed(this.clock.monotonic(), retryAfter);
    this.scheduler.afterFleetFailure();
  }

  isServed(attempt: RefreshAttempt, fence: number): boolean {
    const now = this.clock.monotonic();
    if (attempt.trigger === 'load') return usableSnapshot(this.#state, now) !== undefined;
    if (attempt.trigger === 'automatic') return now < this.#state.freshUntil;
    if (!attempt.needsProofOfAbsence) return this.#state.fence > fence;
    const { requestedKids } = attempt;
    const usable = usableSnapshot(this.#state, now);
    const isFound = (kid: string): boolean => usable !== undefined && isPublished(usable, kid);
    return this.provesAbsence(fence) || (requestedKids.size > 0 && [...requestedKids].every(isFound));
  }

  provesAbsence(fence: number): boolean {
    return provesAbsence(this.#state, fence);
  }

  /** @param fence of the attempt's lease, if it had one */
  isSuperseded(attempt: RefreshAttempt, fence?: number): boolean {
    return isSuperseded(this.#state, attempt, fence);
  }

  /**
   * Applies what an attempt of this replica read, unless a later check has been accepted.
   *
   * @param fence of its lease, if it had one
   * @returns the failure of the second read, when the reading is incomplete
   */
  accept(reading: Reading, attempt: RefreshAttempt, fence?: number): MetadataRefreshError | undefined {
    if (this.isSuperseded(attempt, fence)) {
      // Dropped, and with it perhaps a key that the newer snapshot lacks: it proves nothing.
      attempt.provesAbsence = false;
      return undefined;
    }
    const isChanged = this.#become(
      acceptReading(this.#state, this.options.issuer, reading, attempt, fence, this.#freshness()),
    );
    this.events.emitFaults(reading);
    if (reading.unconfirmed) return reading.unconfirmed;
    this.#succeeded();
    this.events.emit({ type: 'refresh-succeeded', trigger: attempt.trigger, changed: isChanged });
    return undefined;
  }

  /** Backs off after a failed attempt of this replica. @param fence of its lease, if it had one */
  fail(attempt: RefreshAttempt, error: MetadataRefreshError, fence?: number): void {
    if (this.isSuperseded(attempt, fence)) return;
    const now = this.clock.monotonic();
    this.limits.failed(now, error.details.retryAfterMs);
    this.#state = fail(this.#state, error, now);
    this.scheduler.afterFailure();
    this.fallBack();
    this.events.emitSkipped(error.details.skipped ?? []);
    const { trigger } = attempt;
    this.events.emit({ type: 'refresh-failed', trigger, error, failures: this.limits.failures });
  }

  /** Without a usable snapshot, an old one of the store serves. */
  fallBack(): void {
    if (!this.#fallback || usableSnapshot(this.#state, this.clock.monotonic())) return;
    try {
      this.#adopt(this.#fallback, true);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** @throws {MetadataStoreError} when it is too old */
  #adopt(stored: Stored, isFallback: boolean): void {
    const now = this.clock.monotonic();
    const parsed = { ...stored, age: stored.age + now - stored.readAt };
    if (!isNewer(parsed, this.#state, now)) return;
    const { automaticRefreshInterval, lastKnownGoodLifetime } = this.options;
    if (parsed.age >= automaticRefreshInterval + lastKnownGoodLifetime)
      throw new MetadataStoreError('too-old', 'The snapshot is older than the last known good may be');
    if (parsed.age >= automaticRefreshInterval && !isFallback) {
      if (!usableSnapshot(this.#state, now)) this.#fallback = stored;
      return;
    }
    const { issuer } = this.options;
    const { state, isComplete } = adoptStored(this.#state, issuer, parsed, now, this.#freshness());
    const isChanged = this.#become(state, isComplete && !isFallback);
    this.events.emit({ type: 'snapshot-received', changed: isChanged });
  }

  #refuse(error: unknown): void {
    this.events.emitRefusal(error instanceof MetadataStoreError ? error : unusable(error));
  }

  /** @returns whether the snapshot has changed */
  #become(state: IssuerState, isSuccess = false): boolean {
    const before = this.#state;
    this.#state = state;
    if (state.checkedAt !== before.checkedAt) this.#isExpiryEmitted = false;
    if (isSuccess) this.#succeeded();
    const change = changeBetween(before, state);
    if (!change) return false;
    this.#fallback = undefined;
    this.missingKids.reset(change, state.checkedAt);
    this.events.emit({ type: 'metadata-changed', isFirst: !before.metadata, ...change });
    return true;
  }

  #succeeded(): void {
    this.#state = succeed(this.#state);
    this.limits.succeeded();
    this.scheduler.afterSuccess(this.#state.freshUntil);
  }

  #freshness(): Freshness {
    const { automaticRefreshInterval: interval, lastKnownGoodLifetime: lifetime } = this.options;
    return { interval, lifetime, random: this.random() };
  }
}

function unusable(cause: unknown): MetadataStoreError {
  return new MetadataStoreError('malformed', 'The snapshot cannot be used', { cause });
}
