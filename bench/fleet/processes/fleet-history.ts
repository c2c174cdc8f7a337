import { quantile } from '../../support/steady-load.js';
import type { Fleet } from './fleet.js';
import type { ReplicaRecord } from './replica.js';
import type { Users, Visit } from './users.js';

/** A period of the run, in milliseconds since the epoch. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** What the issuer saw. */
export interface Demand {
  readonly refreshes: number;
  readonly calls: number;
}

/** The result of one rollover. */
export interface RolloverResult extends Demand {
  /** Milliseconds from the first accepted token of the new key until all replicas know it. */
  readonly spread: number;
  /** Valid requests of the period, old keys and new. */
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

/** What happened to a fleet, put together from the records of replicas, issuer and users. */
export class FleetHistory {
  private constructor(
    private readonly records: readonly ReplicaRecord[],
    private readonly departed: readonly ReplicaRecord[],
    private readonly callsAt: readonly number[],
    private readonly visits: readonly Visit[],
  ) {}

  /** @param departed the records of replicas that are gone */
  static async of(
    fleet: Fleet,
    users: Users,
    departed: readonly ReplicaRecord[] = [],
  ): Promise<FleetHistory> {
    const { members } = fleet;
    const [records, calls] = await Promise.all([fleet.records(), fleet.issuer.calls()]);
    // Requests that a killed process leaves unanswered do not count.
    const visits = users.visits.filter(({ member }) => members.includes(member));
    return new FleetHistory(records, departed, calls, visits);
  }

  get storeFailures(): number {
    return this.records.reduce((sum, { storeFailures }) => sum + storeFailures, 0);
  }

  demand({ from, to }: Period): Demand {
    const refreshes = [...this.records, ...this.departed].flatMap((record) => record.refreshes);
    return {
      refreshes: refreshes.filter(({ at }) => at >= from && at < to).length,
      calls: this.callsAt.filter((at) => at >= from && at < to).length,
    };
  }

  rollover(kid: string, period: Period): RolloverResult {
    const visits = this.#within(period);
    const accepted = visits.filter((visit) => visit.kid === kid && visit.status === 200);
    const first = Math.min(...accepted.map(({ sentAt, took }) => sentAt + took));
    return {
      ...this.demand(period),
      spread: Math.max(0, this.#knownToAllAt(kid) - first),
      sent: visits.length,
      refused: refused(visits),
      slowest: visits.reduce((most, { took }) => Math.max(most, took), 0),
    };
  }

  /** All requests of a period, of any key. */
  tally(period: Period): { sent: number; refused: number } {
    const visits = this.#within(period);
    return { sent: visits.length, refused: refused(visits) };
  }

  /** Of requests with a key that all replicas knew when they were sent. */
  knownLatency(period: Period): LatencyInQuarters {
    const kids = new Set(this.visits.map(({ kid }) => kid));
    const knownAt = new Map([...kids].map((kid) => [kid, this.#knownToAllAt(kid)]));
    const visits = this.#within(period).filter(
      ({ kid, sentAt }) => sentAt > (knownAt.get(kid) ?? Number.POSITIVE_INFINITY),
    );
    const size = Math.ceil(visits.length / 4);
    const quarters = [0, 1, 2, 3].map((index) => latency(visits.slice(index * size, (index + 1) * size)));
    return { ...latency(visits), quarters };
  }

  #knownToAllAt(kid: string): number {
    return Math.max(...this.records.map(({ learned }) => learned[kid] ?? Number.POSITIVE_INFINITY));
  }

  #within({ from, to }: Period): readonly Visit[] {
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
