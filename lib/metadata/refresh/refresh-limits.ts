import { LRUCache } from 'lru-cache';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import { RefreshBudget } from './refresh-budget.js';

/** A wrong signature under a known key may be anybody's: it never takes what a rollover may need. */
const BAD_SIGNATURE_RESERVE = 3;
const BAD_SIGNATURES_REMEMBERED = 1000;
const FIRST_BACKOFF = 1000;
const AUTOMATIC_BACKOFF_CAP = 5 * 60_000;

/** When may the issuer be called again? Budget, backoff and the issuer's own `Retry-After` in one place. */
export class RefreshGate {
  readonly #options: ResolvedMetadataOptions;
  readonly #random: () => number;
  readonly #budget: RefreshBudget;
  #badSignatures: LRUCache<string, number> | undefined;
  #failures = 0;
  #failedAt = 0;
  #jitter = 0;
  #refusedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: ResolvedMetadataOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
    this.#budget = new RefreshBudget(options.refreshBurst, options.refreshInterval);
  }

  get failures(): number {
    return this.#failures;
  }

  /** Until when the issuer asked to be left alone. */
  get refusedUntil(): number {
    return this.#refusedUntil;
  }

  /** On-demand refreshes in hand. */
  available(now: number): number {
    return this.#budget.available(now);
  }

  /** The earliest time at which an on-demand refresh may start. */
  onDemandAt(now: number): number {
    return Math.max(this.#budget.nextAt(now), this.#blockedUntil(this.#options.refreshInterval));
  }

  /** The earliest time at which an automatic refresh may start; the budget does not concern it. */
  automaticAt(): number {
    return this.#blockedUntil(AUTOMATIC_BACKOFF_CAP);
  }

  /** Takes one on-demand refresh out of the budget, if one may start now. */
  enter(now: number): boolean {
    return this.onDemandAt(now) <= now && this.#budget.spend(now);
  }

  /** The same for a wrong signature under a known key: at most one per `kid` and interval, and only out of plenty. */
  enterForBadSignature(kid: string | undefined, now: number): boolean {
    const id = kid ?? '';
    const last = this.#badSignatures?.get(id) ?? Number.NEGATIVE_INFINITY;
    if (now - last < this.#options.refreshInterval) return false;
    if (this.#blockedUntil(this.#options.refreshInterval) > now) return false;
    if (!this.#budget.spend(now, BAD_SIGNATURE_RESERVE)) return false;
    this.#badSignatures ??= new LRUCache({ max: BAD_SIGNATURES_REMEMBERED });
    this.#badSignatures.set(id, now);
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#refusedUntil = Number.NEGATIVE_INFINITY;
  }

  /** @param retryAfter what the issuer asked for, in milliseconds */
  failed(now: number, retryAfter = 0): void {
    this.#failures++;
    this.#failedAt = now;
    this.#jitter = this.#random();
    const asked = Math.min(retryAfter, this.#options.automaticRefreshInterval);
    // A failure of another kind does not take back what the issuer asked for.
    this.#refusedUntil = Math.max(this.#refusedUntil, now + asked);
  }

  /** Exponential, with equal jitter: half of it fixed, half of it random. */
  #blockedUntil(cap: number): number {
    if (this.#failures === 0) return Number.NEGATIVE_INFINITY;
    const backoff = Math.min(cap, FIRST_BACKOFF * 2 ** (this.#failures - 1));
    return Math.max(this.#failedAt + (backoff / 2) * (1 + this.#jitter), this.#refusedUntil);
  }
}
