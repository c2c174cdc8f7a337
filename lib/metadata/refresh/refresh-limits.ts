import { LRUCache } from 'lru-cache';
import type { ResolvedMetadataOptions } from '../metadata-options.js';

/** On-demand refreshes that only a key id never seen before may spend: a rollover may need them. */
export const RESERVE = 3;
const LIMITED_KIDS_CACHED = 1000;
const FIRST_BACKOFF = 1000;
const AUTOMATIC_BACKOFF_CAP = 5 * 60_000;

/** When the issuer may be called again: refresh budget, backoff and the issuer's own `Retry-After`. Times are monotonic. */
export class RefreshLimits {
  readonly #options: ResolvedMetadataOptions;
  readonly #random: () => number;
  #limitedKids: LRUCache<string, number> | undefined;
  /** The budget as one number: when its bucket is full again (GCRA). So nothing is refilled, and nothing is rounded. */
  #fullAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failedAt = 0;
  #jitter = 0;
  #refusedUntil = Number.NEGATIVE_INFINITY;

  constructor(options: ResolvedMetadataOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** The end of the issuer's `Retry-After`. */
  get refusedUntil(): number {
    return this.#refusedUntil;
  }

  /** On-demand refreshes available. */
  available(now: number): number {
    const { refreshBurst, refreshInterval } = this.#options;
    return Math.floor((now - this.#fullFrom(now)) / refreshInterval) + refreshBurst;
  }

  /** The earliest time at which an on-demand refresh may start. */
  onDemandAt(now: number): number {
    const { refreshBurst, refreshInterval } = this.#options;
    const availableAt = Math.max(now, this.#fullFrom(now) - (refreshBurst - 1) * refreshInterval);
    return Math.max(availableAt, this.#blockedUntil(refreshInterval));
  }

  /** The earliest time at which an automatic refresh may start; it does not use the budget. */
  automaticAt(): number {
    return this.#blockedUntil(AUTOMATIC_BACKOFF_CAP);
  }

  /** Takes one on-demand refresh out of the budget, if one may start now. */
  tryAcquire(now: number): boolean {
    return this.onDemandAt(now) <= now && this.#spend(now, 0);
  }

  /**
   * The same for what an attacker can send at will, and a rollover does not need: a wrong signature under a known key, a
   * withdrawn key. At most one per `kid` and interval, above the reserve.
   */
  tryAcquireAboveReserve(kid: string | undefined, now: number): boolean {
    const { refreshInterval } = this.#options;
    const id = kid ?? '';
    const last = this.#limitedKids?.get(id) ?? Number.NEGATIVE_INFINITY;
    if (now - last < refreshInterval) return false;
    if (this.#blockedUntil(refreshInterval) > now) return false;
    if (!this.#spend(now, RESERVE)) return false;
    this.#limitedKids ??= new LRUCache({ max: LIMITED_KIDS_CACHED });
    this.#limitedKids.set(id, now);
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#refusedUntil = Number.NEGATIVE_INFINITY;
  }

  /** @param retryAfter of the issuer, in milliseconds */
  failed(now: number, retryAfter = 0): void {
    this.#failures++;
    this.#failedAt = now;
    this.#jitter = this.#random();
    // A failure of another kind does not shorten an earlier Retry-After.
    const bounded = Math.min(retryAfter, this.#options.automaticRefreshInterval);
    this.#refusedUntil = Math.max(this.#refusedUntil, now + bounded);
  }

  /** Takes one, unless that would leave fewer than `reserve` available. */
  #spend(now: number, reserve: number): boolean {
    const { refreshBurst, refreshInterval } = this.#options;
    const fullFrom = this.#fullFrom(now);
    if (fullFrom > now + (refreshBurst - 1 - reserve) * refreshInterval) return false;
    this.#fullAt = fullFrom + refreshInterval;
    return true;
  }

  #fullFrom(now: number): number {
    return Math.max(now, this.#fullAt);
  }

  /** Exponential, with equal jitter: half of it fixed, half of it random. */
  #blockedUntil(cap: number): number {
    if (this.#failures === 0) return Number.NEGATIVE_INFINITY;
    const backoff = Math.min(cap, FIRST_BACKOFF * 2 ** (this.#failures - 1));
    return Math.max(this.#failedAt + (backoff / 2) * (1 + this.#jitter), this.#refusedUntil);
  }
}
