import { defect, MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { Clock } from '../../time/clock.js';
import type { MetadataEventEmitter } from '../event-emitter.js';
import type { MetadataReader, Reading } from '../fetch/metadata-reader.js';
import { closed } from '../fetch/metadata-retriever.js';
import type { BudgetUse, RefreshTrigger } from '../metadata-events.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { FleetCoordination } from '../store/fleet-coordination.js';
import { FETCH_WITHOUT_LEASE } from '../store/lease-outcome.js';
import type { GrantedLease } from '../store/metadata-store.js';
import type { CurrentMetadata } from './current-metadata.js';
import { RefreshAttempt } from './refresh-attempt.js';
import type { RefreshLimits } from './refresh-limits.js';
import type { RefreshScheduler } from './scheduler.js';

/** Runs the attempts to refresh of one issuer: on schedule and on demand, coordinated with its fleet. */
export class MetadataRefresher {
  #started = 0;
  #running: RefreshAttempt | undefined;
  #planned: RefreshAttempt | undefined;
  /** What the refreshes were spent on since all were available. */
  #use: Uses | undefined;

  constructor(
    private readonly options: ResolvedMetadataOptions,
    private readonly clock: Clock,
    private readonly current: CurrentMetadata,
    private readonly limits: RefreshLimits,
    private readonly scheduler: RefreshScheduler,
    private readonly events: MetadataEventEmitter,
    private readonly reader: Pick<MetadataReader, 'read'>,
    private readonly fleet: FleetCoordination | undefined,
    private readonly closing: AbortSignal,
  ) {
    scheduler.automatic$.subscribe(() => this.#running ?? this.begin('automatic'));
    scheduler.onDemand$.subscribe(() => this.#startPlanned());
    closing.addEventListener('abort', () => {
      this.#planned?.settle(closed());
      this.#planned = undefined;
      this.#running?.settle(closed());
    });
  }

  /** How many attempts have been started. */
  get started(): number {
    return this.#started;
  }

  /** Starts an attempt now; a planned one becomes this one. */
  begin(trigger: RefreshTrigger): RefreshAttempt {
    const attempt = this.#planned ?? new RefreshAttempt();
    if (this.closing.aborted) {
      attempt.settle(closed());
      return attempt;
    }
    this.#planned = undefined;
    this.#running = attempt;
    attempt.start(++this.#started, trigger, !this.current.state.metadata, this.clock.monotonic());
    void this.#run(attempt);
    return attempt;
  }

  /** The attempt that an on-demand request waits for; `undefined` when none may start before the deadline. */
  join(deadline: number): RefreshAttempt | undefined {
    if (this.closing.aborted) return undefined;
    if (this.#running) {
      this.#running.keepsReserve = false;
      return this.#running;
    }
    const now = this.clock.monotonic();
    if (this.limits.available(now) === this.options.refreshBurst) this.#use = undefined;
    if (this.limits.tryAcquire(now)) return this.begin('on-demand');
    const permittedAt = this.limits.onDemandAt(now);
    if (permittedAt > deadline) return undefined;
    if (this.#planned) return this.#planned;
    const planned = new RefreshAttempt();
    this.#planned = planned;
    this.scheduler.planOnDemand(permittedAt);
    // Last: a subscriber may request another refresh, or close the module.
    this.#emitExhaustion(now);
    return planned;
  }

  /** The same above the reserve: it joins an attempt or starts one, and never waits for the next. */
  joinAboveReserve(kid: string | undefined): RefreshAttempt | undefined {
    if (this.closing.aborted) return undefined;
    if (this.#running) return this.#running;
    const isPermitted = this.limits.tryAcquireAboveReserve(kid, this.clock.monotonic());
    if (!isPermitted) return undefined;
    const attempt = this.begin('on-demand');
    attempt.keepsReserve = true;
    return attempt;
  }

  #startPlanned(): void {
    // A running attempt has taken the place of the planned one already.
    if (!this.#planned) return;
    const now = this.clock.monotonic();
    // A timer may fire a moment early.
    if (this.limits.tryAcquire(now)) this.begin('on-demand');
    else this.scheduler.planOnDemand(this.limits.onDemandAt(now));
  }

  async #run(attempt: RefreshAttempt): Promise<void> {
    const { metadata } = this.current.state;
    const failure = await this.#outcome(attempt).catch(defect);
    if (attempt.isOnDemand) this.#countUse(attempt, failure, metadata !== this.current.state.metadata);
    if (this.#running === attempt) this.#running = undefined;
    attempt.settle(failure);
  }

  async #outcome(attempt: RefreshAttempt): Promise<MetadataRefreshError | undefined> {
    const { fleet } = this;
    if (!fleet) return this.#fetch(attempt);
    // A store that fails does not keep a replica from the issuer.
    const outcome = await fleet.lease(attempt).catch(() => FETCH_WITHOUT_LEASE);
    if (outcome.mayFetch) {
      attempt.startedAt = this.clock.monotonic();
      return this.#fetch(attempt, outcome.lease);
    }
    attempt.provesAbsence = outcome.provesAbsence;
    this.scheduler.afterServed(this.current.state.freshUntil);
    if (outcome.failure) this.current.fallBack();
    return outcome.failure;
  }

  /** Reads from the issuer, and applies what was read. */
  async #fetch(attempt: RefreshAttempt, lease?: GrantedLease): Promise<MetadataRefreshError | undefined> {
    try {
      if (this.closing.aborted) throw closed();
      this.events.emit({ type: 'refresh-started', trigger: attempt.trigger });
      const reading = await this.#read(attempt);
      const failure = this.closing.aborted ? closed() : this.current.accept(reading, attempt, lease?.fence);
      if (failure) throw failure;
      if (!this.current.isSuperseded(attempt, lease?.fence)) this.fleet?.publish(reading, attempt, lease);
      return undefined;
    } catch (error) {
      const failure = error instanceof MetadataRefreshError ? error : defect(error);
      if (!this.closing.aborted) this.current.fail(attempt, failure, lease?.fence);
      this.fleet?.release(lease, failure);
      return failure;
    }
  }

  #read(attempt: RefreshAttempt): Promise<Reading> {
    const { current } = this;
    return this.reader.read({
      // As of each access: an attempt that overlaps this one may replace it meanwhile.
      get known() {
        return current.state.metadata;
      },
      // Once it has expired, any answer is better: an Age that is always wrong must not end in an outage.
      notBefore: current.usable() ? current.state.generatedAt : Number.NEGATIVE_INFINITY,
      keySetFirst: attempt.trigger === 'on-demand',
      requestedKids: attempt.requestedKids,
      get needsNewKey() {
        return attempt.needsNewKey;
      },
    });
  }

  /** Once until the budget has recovered: under a flood it is spent again as soon as it refills. */
  #emitExhaustion(now: number): void {
    const use = (this.#use ??= unused());
    if (use.isEmitted || this.limits.available(now) >= 1) return;
    use.isEmitted = true;
    const causes = ['unknown-key-ids', 'failures', 'other'] as const;
    const [cause = 'other'] = causes.toSorted((a, b) => use[b] - use[a]);
    this.events.emit({ type: 'budget-exhausted', cause });
  }

  #countUse(
    { requestedKids }: RefreshAttempt,
    failure: MetadataRefreshError | undefined,
    isChanged: boolean,
  ) {
    const use = (this.#use ??= unused());
    if (failure) use.failures++;
    else if (requestedKids.size > 0 && !isChanged) use['unknown-key-ids']++;
    else use.other++;
  }
}

/** How often the budget was used for what. */
type Uses = Record<BudgetUse, number> & { isEmitted: boolean };

function unused(): Uses {
  return { 'unknown-key-ids': 0, failures: 0, other: 0, isEmitted: false };
}
