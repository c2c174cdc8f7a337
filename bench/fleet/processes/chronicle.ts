import { quantile } from '../../support/steady-load.js';
import type { Fleet } from './fleet.js';
import type { ReplicaDiary } from './replica.js';
import type { Users, Visit } from './users.js';

/** A stretch of the run, in milliseconds since the epoch. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What the issuer saw. */
export interface Demand {
  readonly refreshes: number;
  readonly calls: number;
}

/** What a rollover came to, under whatever conditions. */
export interface RolloverResult extends Demand {
  /** Milliseconds from the first accepted token of the new key until all replicas know it. */
  readonly spread: number;
  /** Valid requests of the stretch, old keys and new. */
  readonly sent: number;
  readonly refused: number;
  readonly slowest: number;
}

interface Latency {
  readonly sent: number;
  readonly p50: number;
  readonly p99: number;
}

/** With the same of each quarter of the run: what they differ by is noise. */
export interface LatencyInQuarters extends Latency {
  readonly quarters: readonly Latency[];
}

/** What happened to a fleet, put together afterwards from what all those concerned wrote down. */
export class Chronicle {
  private constructor(
    private readonly diaries: readonly ReplicaDiary[],
    private readonly departed: readonly ReplicaDiary[],
    private readonly callsAt: readonly number[],
    private readonly visits: readonly Visit[],
  ) {}

  /** @param departed the diaries of replicas that are gone */
  static async of(fleet: Fleet, users: Users, departed: readonly ReplicaDiary[] = []): Promise<Chronicle> {
    const { members } = fleet;
    const [diaries, calls] = await Promise.all([fleet.diaries(), fleet.issuer.calls()]);
    // What a process leaves unanswered when it is killed is not the module's doing.
    const visits = users.visits.filter(({ member }) => members.includes(member));
    return new Chronicle(diaries, departed, calls, visits);
  }

  get storeFailures(): number {
    return this.diaries.reduce((sum, { storeFailures }) => sum + storeFailures, 0);
  }

  demand({ from, to }: Stretch): Demand {
    const refreshes = [...this.diaries, ...this.departed].flatMap((diary) => diary.refreshes);
    return {
      refreshes: refreshes.filter(({ at }) => at >= from && at < to).length,
      calls: this.callsAt.filter((at) => at >= from && at < to).length,
    };
  }

  rollover(kid: string, stretch: Stretch): RolloverResult {
    const visits = this.#within(stretch);
    const accepted = visits.filter((visit) => visit.kid === kid && visit.status === 200);
    const first = Math.min(...accepted.map(({ sentAt, took }) => sentAt + took));
    return {
      ...this.demand(stretch),
      spread: Math.max(0, this.#knownToAllAt(kid) - first),
      sent: visits.length,
      refused: refused(visits),
      slowest: visits.reduce((most, { took }) => Math.max(most, took), 0),
    };
  }

  /** All requests of a stretch, of whatever key. */
  tally(stretch: Stretch): { sent: number; refused: number } {
    const visits = this.#within(stretch);
    return { sent: visits.length, refused: refused(visits) };
  }

  /** Of requests with a key that all replicas knew when they were sent. */
  knownLatency(stretch: Stretch): LatencyInQuarters {
    const kids = new Set(this.visits.map(({ kid }) => kid));
    const knownAt = new Map([...kids].map((kid) => [kid, this.#knownToAllAt(kid)]));
    const visits = this.#within(stretch).filter(
      ({ kid, sentAt }) => sentAt > (knownAt.get(kid) ?? Number.POSITIVE_INFINITY),
    );
    const size = Math.ceil(visits.length / 4);
    const quarters = [0, 1, 2, 3].map((index) => latency(visits.slice(index * size, (index + 1) * size)));
    return { ...latency(visits), quarters };
  }

  #knownToAllAt(kid: string): number {
    return Math.max(...this.diaries.map(({ learned }) => learned[kid] ?? Number.POSITIVE_INFINITY));
  }

  #within({ from, to }: Stretch): readonly Visit[] {
    return this.visits.filter(({ sentAt }) => sentAt >= from && sentAt < to);
  }
}

function latency(visits: readonly Visit[]): Latency {
  const took = visits.map((visit) => visit.took);
  return { sent: took.length, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

function refused(visits: readonly Visit[]): number {
  return visits.filter(({ status }) => status !== 200).length;
}
