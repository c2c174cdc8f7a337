import { Subject, type Observable } from 'rxjs';
import type { MetadataRefreshError } from '../../errors/metadata.errors.js';
import { MetadataStoreError } from '../../errors/store.error.js';
import type { Clock } from '../../time/clock.js';
import { HeldMetadata, type MetadataChange } from './current-snapshot.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import { judgeStored } from '../store/parse-stored.js';
import type { MetadataNews } from '../event-emitter.js';
import type { Reading } from '../fetch/metadata-reader.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { StoredMetadata } from '../store/metadata-store.js';
import { NegativeMemory } from './negative-cache.js';
import type { RefreshAttempt } from './refresh-attempt.js';
import { RefreshGate } from './refresh-limits.js';
import type { SharingMember } from '../store/lease-outcome.js';

/** Puts what was found in place, by this replica or another, and plans when to look again. */
export class MetadataKeeper implements SharingMember {
  readonly held: HeldMetadata;
  readonly gate: RefreshGate;
  readonly absent: NegativeMemory;
  readonly #options: ResolvedMetadataOptions;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #news: MetadataNews;
  readonly #dueAt = new Subject<number>();
  /** Too old to serve while the issuer can be asked. */
  #fallback: StoredMetadata | undefined;
  /** When the next automatic refresh starts. */
  nextAutomaticAt: number | undefined;
  lastFailure: { readonly at: number; readonly error: MetadataRefreshError } | undefined;

  constructor(options: ResolvedMetadataOptions, clock: Clock, random: () => number, news: MetadataNews) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
    this.#news = news;
    this.held = new HeldMetadata(options.issuer);
    this.gate = new RefreshGate(options, random);
    this.absent = new NegativeMemory(options.refreshInterval);
  }

  /** The times at which the next automatic refresh is due; each replaces the one before. */
  get dueAt$(): Observable<number> {
    return this.#dueAt;
  }

  /** The snapshot at hand, if it may serve; tells once that it has expired. */
  usable(): IssuerMetadata | undefined {
    const { held } = this;
    const usable = held.usable(this.#clock.monotonic());
    if (!usable && held.metadata)
      this.#news.tellOnce(`expired ${held.checkedAt}`, {
        type: 'metadata-expired',
        metadata: held.metadata,
      });
    return usable;
  }

  get fence(): number {
    return this.held.fence;
  }

  /** Takes over a snapshot of the store, if it is newer than the one at hand and not too old to serve. */
  adopt(stored: StoredMetadata): void {
    this.#adopt(stored, false);
  }

  /** After a failure of another replica. @param retryAfter what the issuer asked for, in milliseconds */
  backOff(retryAfter: number): void {
    this.gate.failed(this.#clock.monotonic(), retryAfter);
    this.#planAt(Math.max(this.nextAutomaticAt ?? 0, this.gate.automaticAt()));
  }

  isAnswered(attempt: RefreshAttempt, since: number): boolean {
    const { held } = this;
    const now = this.#clock.monotonic();
    if (attempt.trigger === 'load') return held.usable(now) !== undefined;
    if (attempt.trigger === 'automatic') return now < held.freshUntil;
    if (!attempt.isAboutAbsence) return held.fence > since;
    const { awaited } = attempt;
    const brings = (kid: string): boolean => Boolean(held.usable(now)?.keysWithId(kid).length);
    return held.isConclusive(since) || (awaited.size > 0 && [...awaited].every(brings));
  }

  isConclusive(since: number): boolean {
    return this.held.isConclusive(since);
  }

  /** Plans anew what fell due while another replica answered. */
  catchUp(): void {
    const now = this.#clock.monotonic();
    if ((this.nextAutomaticAt ?? now) <= now)
      this.#planAt(Math.max(now, this.held.freshUntil, this.gate.automaticAt()));
  }

  /**
   * Takes over what an attempt of this replica found, unless something newer is there.
   *
   * @param fence of its lease, where there was one
   * @returns what was left undone, when the reading could not be completed
   */
  accept(reading: Reading, attempt: RefreshAttempt, fence?: number): MetadataRefreshError | undefined {
    if (this.held.isAheadOf(attempt, fence)) {
      // Dropped, and with it perhaps a key that the newer snapshot lacks: nobody is to be refused by it.
      attempt.isConclusive = false;
      return undefined;
    }
    const isFirst = this.held.metadata === undefined;
    const change = this.held.accept(reading, attempt.number, fence);
    if (!reading.unconfirmed || isFirst) this.#renew(reading, attempt.startedAt);
    this.#changed(change);
    this.#news.tellOf(reading);
    if (reading.unconfirmed) return reading.unconfirmed;
    this.#succeeded();
    this.#news.tell({ type: 'refresh-succeeded', trigger: attempt.trigger, changed: change !== undefined });
    return undefined;
  }

  /** Backs off after a failure of this replica. @param fence of its lease, where there was one */
  failed(attempt: RefreshAttempt, error: MetadataRefreshError, fence?: number): void {
    if (this.held.isAheadOf(attempt, fence)) return;
    const now = this.#clock.monotonic();
    this.gate.failed(now, error.details.retryAfterMs);
    this.lastFailure = { at: now, error };
    const planned = this.nextAutomaticAt ?? now;
    // A failure on demand does not bring the next automatic refresh forward.
    this.#planAt(planned > now ? Math.max(planned, this.gate.refusedUntil) : this.gate.automaticAt());
    this.fallBack();
    this.#news.tell({
      type: 'refresh-failed',
      trigger: attempt.trigger,
      error,
      failures: this.gate.failures,
    });
  }

  /** With nothing else to serve, an old snapshot of the store will do. */
  fallBack(): void {
    if (this.#fallback && !this.held.usable(this.#clock.monotonic())) this.#adopt(this.#fallback, true);
  }

  #succeeded(): void {
    this.gate.succeeded();
    this.lastFailure = undefined;
    this.#planAt(this.held.freshUntil);
  }

  #changed(change: MetadataChange | undefined): void {
    if (!change) return;
    this.#fallback = undefined;
    this.absent.reset(change.withdrawnKeyIds);
    this.#news.tell({ type: 'metadata-changed', ...change });
  }

  #renew(reading: Pick<Reading, 'maxAge' | 'age' | 'generatedAt'>, checkedAt: number): void {
    const { automaticRefreshInterval, lastKnownGoodLifetime } = this.#options;
    this.held.renew(reading, checkedAt, automaticRefreshInterval, lastKnownGoodLifetime, this.#random());
  }

  #planAt(time: number): void {
    this.nextAutomaticAt = time;
    this.#dueAt.next(time);
  }

  #adopt(stored: StoredMetadata, isFallback: boolean): void {
    try {
      const { held } = this;
      const now = this.#clock.monotonic();
      const judged = judgeStored(stored, this.#options, held.metadata, this.#clock.now());
      const startedAt = now - judged.age;
      if (!held.isBehind(judged.fence, startedAt)) return;
      const { automaticRefreshInterval, lastKnownGoodLifetime } = this.#options;
      if (judged.age >= automaticRefreshInterval + lastKnownGoodLifetime)
        throw new MetadataStoreError('too-old', 'The snapshot is older than the last known good may be');
      if (judged.age >= automaticRefreshInterval && !isFallback) {
        if (!held.usable(now)) this.#fallback = stored;
        return;
      }
      const { change, isComplete } = held.adopt(judged);
      if (isComplete) this.#renew({ generatedAt: startedAt, maxAge: undefined, age: 0 }, startedAt);
      if (isComplete && !isFallback) this.#succeeded();
      this.#changed(change);
      this.#news.tell({ type: 'snapshot-received', changed: change !== undefined });
    } catch (error) {
      const refusal = error instanceof MetadataStoreError ? error : unusable(error);
      this.#news.tellRefusal(refusal);
    }
  }
}

function unusable(cause: unknown): MetadataStoreError {
  return new MetadataStoreError('malformed', 'The snapshot cannot be used', { cause });
}
