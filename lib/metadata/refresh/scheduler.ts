import { Observable, Subject, switchMap, takeUntil } from 'rxjs';
import type { Clock } from '../../time/clock.js';
import type { RefreshLimits } from './refresh-limits.js';

/** Plans the next automatic refresh and the next on-demand one; a new plan replaces the one before. */
export class RefreshScheduler {
  readonly #clock: Clock;
  readonly #limits: RefreshLimits;
  readonly #automaticAt = new Subject<number>();
  readonly #onDemandAt = new Subject<number>();
  #nextAutomaticAt: number | undefined;
  /** Emits when the automatic refresh is due. */
  readonly automatic$: Observable<void>;
  /** Emits when the planned on-demand refresh may start. */
  readonly onDemand$: Observable<void>;

  constructor(clock: Clock, limits: RefreshLimits, closing: AbortSignal) {
    this.#clock = clock;
    this.#limits = limits;
    const closed$ = new Subject<void>();
    closing.addEventListener('abort', () => closed$.next());
    const due = (at$: Observable<number>): Observable<void> =>
      at$.pipe(
        switchMap((at) => timer(at, clock)),
        takeUntil(closed$),
      );
    this.automatic$ = due(this.#automaticAt);
    this.onDemand$ = due(this.#onDemandAt);
  }

  /** When the next automatic refresh starts; monotonic. */
  get nextAutomaticAt(): number | undefined {
    return this.#nextAutomaticAt;
  }

  afterSuccess(freshUntil: number): void {
    this.#planAutomatic(freshUntil);
  }

  /** A failure on demand does not bring the next automatic refresh forward. */
  afterFailure(): void {
    const now = this.#clock.monotonic();
    const planned = this.#nextAutomaticAt ?? now;
    const { refusedUntil } = this.#limits;
    this.#planAutomatic(planned > now ? Math.max(planned, refusedUntil) : this.#limits.automaticAt());
  }

  /** After another replica failed. */
  afterFleetFailure(): void {
    this.#planAutomatic(Math.max(this.#nextAutomaticAt ?? 0, this.#limits.automaticAt()));
  }

  /** After another replica served the refresh that was due. */
  afterServed(freshUntil: number): void {
    const now = this.#clock.monotonic();
    if ((this.#nextAutomaticAt ?? now) <= now)
      this.#planAutomatic(Math.max(now, freshUntil, this.#limits.automaticAt()));
  }

  planOnDemand(at: number): void {
    this.#onDemandAt.next(at);
  }

  #planAutomatic(at: number): void {
    this.#nextAutomaticAt = at;
    this.#automaticAt.next(at);
  }
}

/** Emits once, at a monotonic time, and completes. */
export function timer(at: number, clock: Clock): Observable<void> {
  return new Observable((subscriber) => {
    const handle = clock.setTimeout(
      () => {
        subscriber.next();
        subscriber.complete();
      },
      Math.max(0, Math.ceil(at - clock.monotonic())),
    );
    return () => clock.clearTimeout(handle);
  });
}
