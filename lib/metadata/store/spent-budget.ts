import type { MetadataLease } from './metadata-store.js';

/** Judges the reports of a store that the fleet's budget is spent: its bucket may be corrupt. */
export class SpentBudget {
  /** Since when leases have been refused for the budget, with none granted to any replica meanwhile. */
  #spent: { readonly since: number; readonly fence: number } | undefined;

  /** @param refill milliseconds until one refresh is refilled */
  constructor(private readonly refill: number) {}

  /** Takes the answer to a request for a lease. While fences rise, other replicas spend what is refilled. */
  observe(lease: MetadataLease, now: number): void {
    const isSpent = !lease.isGranted && lease.reason === 'budget-spent';
    if (!isSpent) this.#spent = undefined;
    else if (this.#spent?.fence !== lease.fence) this.#spent = { since: now, fence: lease.fence };
  }

  /** Whether the last report is to be believed: not once it has lasted longer than one refill without a lease granted. */
  isCredible(now: number): boolean {
    return this.#spent !== undefined && now - this.#spent.since < this.refill;
  }
}
