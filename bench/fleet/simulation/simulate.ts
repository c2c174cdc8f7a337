import { resolveAuthOptions } from '../../../lib/auth.options-resolver.js';
import type { ResolvedMetadataOptions } from '../../../lib/metadata/metadata-options.js';
import type { Day } from './day.js';
import { FIRST_KEY, ISSUER, SimulatedIssuer } from './issuer.js';
import { exponential, seeded, type Random } from './random.js';
import { SimulatedRedis } from './redis.js';
import { SimulatedReplica } from './replica.js';
import type { TrafficLoad } from './traffic.js';
import { VirtualClock } from './virtual-clock.js';

/** One rollover of the simulated fleet. */
export interface SimulatedRollover {
  readonly at: number;
  readonly kind: 'usual' | 'after-outage' | 'holder-killed';
  readonly refreshes: number;
  readonly calls: number;
  /** Milliseconds from the first accepted token of the new key until all replicas know it; `null`: never. */
  readonly spread: number | null;
  readonly refused: number;
  /** Milliseconds the last of those let in had waited. */
  readonly slowest: number;
}

export interface SimulationResult {
  readonly day: Day;
  /** Virtual milliseconds; less than the day's where real time was up before. */
  readonly end: number;
  readonly interval: number;
  readonly boot: { readonly refreshes: number; readonly refused: number };
  readonly calm: { readonly refreshes: number; readonly calls: number; readonly intervals: number };
  readonly rollovers: readonly SimulatedRollover[];
  /** `minutes`: as far as the simulation got. */
  readonly outage: { readonly refreshes: number; readonly calls: number; readonly minutes: number };
  /** Requests with a key that everybody knows. */
  readonly known: { readonly sent: number; readonly refused: number };
  readonly requests: number;
  readonly redis: {
    readonly day: TrafficLoad;
    readonly calm: TrafficLoad;
    readonly outage: TrafficLoad;
    readonly snapshotSize: number;
  };
  /** Bytes of heap for each replica, with keys and timers. */
  readonly memoryPerReplica: number;
  readonly residentMegabytes: number;
  /** Real seconds. */
  readonly took: number;
  readonly events: number;
}

/** What is counted to a rollover: everything on demand until this much later. */
const AFTERMATH = 30_000;

/**
 * A day of a fleet in virtual time: the same seed brings the same day.
 *
 * @param limit real milliseconds after which the day ends early
 */
export async function simulate(day: Day, limit: number): Promise<SimulationResult> {
  return new Simulation(day, limit).run();
}

class Simulation {
  readonly #begun = performance.now();
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #issuer: SimulatedIssuer;
  readonly #redis: SimulatedRedis;
  readonly #replicas: SimulatedReplica[] = [];
  /** When they were started. */
  readonly #refreshes: number[] = [];
  readonly #learned = new Map<string, { count: number; last: number }>();
  readonly #accepted = new Map<string, number>();
  readonly #slowest = new Map<string, number>();
  readonly #refused = new Map<string, number>();
  readonly #rollovers: { readonly at: number; readonly kid: string }[] = [];
  #isVictimSought = false;
  #bootRefused = 0;
  #known = { sent: 0, refused: 0 };
  #requests = 0;

  constructor(
    private readonly day: Day,
    private readonly limit: number,
  ) {
    this.#random = seeded(day.seed);
    this.#issuer = new SimulatedIssuer(this.#clock, seeded(day.seed + 1));
    this.#redis = new SimulatedRedis(this.#clock, seeded(day.seed + 2));
  }

  async run(): Promise<SimulationResult> {
    const { day } = this;
    const options = resolvedOptions(this.#issuer);
    const before = heapUsed();
    this.#boot(options);
    for (const at of day.rollovers) this.#at(at, () => this.#rollOver());
    this.#at(day.holderKilled, () => {
      this.#isVictimSought = true;
      this.#rollOver();
    });
    this.#at(day.outage.from, () => (this.#issuer.isDown = true));
    // Before the rollover at the same time, which was set first.
    this.#at(day.outage.to - 1, () => (this.#issuer.isDown = false));
    for (let at = day.calm.from; at < day.end; at += day.tokenInterval) this.#at(at, () => this.#useKnown());
    const isOver = (): boolean => performance.now() - this.#begun > this.limit;
    await this.#clock.runUntil(day.calm.from, isOver);
    const memoryPerReplica = (heapUsed() - before) / day.replicas;
    await this.#clock.runUntil(day.end, isOver);
    const residentMegabytes = process.memoryUsage().rss / 1e6;
    const end = this.#clock.monotonic();
    for (const replica of this.#replicas) replica.close();
    return this.#result(options, end, memoryPerReplica, residentMegabytes);
  }

  #at(time: number, action: () => void): void {
    this.#clock.setTimeout(action, time - this.#clock.monotonic());
  }

  #boot(options: ResolvedMetadataOptions): void {
    for (let index = 0; index < this.day.replicas; index += 1) {
      const random = seeded(this.day.seed + 10 + index);
      const replica = new SimulatedReplica(options, this.#redis, this.#clock, random, {
        refreshed: (asking) => this.#refreshed(asking),
        learned: (kid) => this.#learn(kid),
      });
      this.#replicas.push(replica);
      this.#at(this.#random() * this.day.boot, () => void this.#start(replica));
    }
  }

  async #start(replica: SimulatedReplica): Promise<void> {
    await replica.start();
    if (!replica.serves(FIRST_KEY)) this.#bootRefused += 1;
  }

  #refreshed(replica: SimulatedReplica): void {
    this.#refreshes.push(this.#clock.monotonic());
    if (!this.#isVictimSought) return;
    this.#isVictimSought = false;
    // Before any answer can be there.
    this.#clock.setTimeout(() => replica.kill(), 1);
  }

  #learn(kid: string): void {
    const count = (this.#learned.get(kid)?.count ?? 0) + 1;
    this.#learned.set(kid, { count, last: this.#clock.monotonic() });
  }

  #rollOver(): void {
    const kid = this.#issuer.rollOver();
    this.#rollovers.push({ at: this.#clock.monotonic(), kid });
    for (const replica of this.#replicas) {
      this.#clock.setTimeout(
        () => void this.#useNew(replica, kid),
        exponential(this.#random, this.day.firstToken),
      );
    }
  }

  async #useNew(replica: SimulatedReplica, kid: string): Promise<void> {
    if (!replica.isAlive) return;
    this.#requests += 1;
    const sentAt = this.#clock.monotonic();
    const isAccepted = await replica.authenticate(kid);
    // What a process leaves unanswered when it is killed is not the module's doing.
    if (!replica.isAlive) return;
    if (!isAccepted) this.#refused.set(kid, (this.#refused.get(kid) ?? 0) + 1);
    else this.#letIn(kid, sentAt);
  }

  #letIn(kid: string, sentAt: number): void {
    const now = this.#clock.monotonic();
    if (!this.#accepted.has(kid)) this.#accepted.set(kid, now);
    this.#slowest.set(kid, Math.max(this.#slowest.get(kid) ?? 0, now - sentAt));
  }

  #useKnown(): void {
    // A key is known to all when its aftermath is over; until then the one before it is in use too.
    const [latest, previous] = this.#rollovers.toReversed();
    const isNew = latest && this.#clock.monotonic() < latest.at + AFTERMATH;
    const kid = (isNew ? previous : latest)?.kid ?? FIRST_KEY;
    for (const replica of this.#replicas.filter(({ isAlive }) => isAlive)) {
      this.#known.sent += 1;
      if (!replica.serves(kid)) this.#known.refused += 1;
    }
  }

  #result(
    { automaticRefreshInterval: interval }: ResolvedMetadataOptions,
    end: number,
    memoryPerReplica: number,
    residentMegabytes: number,
  ): SimulationResult {
    const { day } = this;
    const { calm } = day;
    const outage = { from: day.outage.from, to: Math.min(day.outage.to, end) };
    const { traffic, snapshotSize } = this.#redis;
    return {
      day,
      end,
      interval,
      boot: { refreshes: this.#started(0, calm.from), refused: this.#bootRefused },
      calm: {
        refreshes: this.#started(calm.from, calm.to),
        calls: this.#called(calm.from, calm.to),
        intervals: (calm.to - calm.from) / interval,
      },
      rollovers: this.#rollovers.map(({ at, kid }) => this.#rollover(at, kid)),
      outage: {
        refreshes: this.#started(outage.from, outage.to),
        calls: this.#called(outage.from, outage.to),
        minutes: (outage.to - outage.from) / 60_000,
      },
      known: this.#known,
      requests: this.#requests,
      redis: {
        day: traffic.load(0, end),
        calm: traffic.load(calm.from, calm.to),
        outage: traffic.load(outage.from, outage.to),
        snapshotSize,
      },
      memoryPerReplica,
      residentMegabytes,
      took: (performance.now() - this.#begun) / 1000,
      events: this.#clock.fired,
    };
  }

  #rollover(at: number, kid: string): SimulatedRollover {
    const { count, last } = this.#learned.get(kid) ?? { count: 0, last: 0 };
    const first = this.#accepted.get(kid) ?? Number.NaN;
    return {
      at,
      kind: this.#kindOf(at),
      refreshes: this.#started(at, at + AFTERMATH),
      calls: this.#called(at, at + AFTERMATH),
      spread:
        count < this.day.replicas - (at >= this.day.holderKilled ? 1 : 0) ? null : Math.max(0, last - first),
      refused: this.#refused.get(kid) ?? 0,
      slowest: this.#slowest.get(kid) ?? 0,
    };
  }

  #kindOf(at: number): SimulatedRollover['kind'] {
    if (at === this.day.holderKilled) return 'holder-killed';
    return at === this.day.outage.to ? 'after-outage' : 'usual';
  }

  #started(from: number, to: number): number {
    return this.#refreshes.filter((at) => at >= from && at < to).length;
  }

  #called(from: number, to: number): number {
    return this.#issuer.calls.filter((at) => at >= from && at < to).length;
  }
}

function resolvedOptions(issuer: SimulatedIssuer): ResolvedMetadataOptions {
  const metadata = { fetch: issuer.fetch };
  const { issuers } = resolveAuthOptions({ issuer: ISSUER, audience: 'api', metadata }, {});
  const [first] = issuers;
  if (!first) throw new Error('No issuer was resolved');
  return first.metadata;
}

function heapUsed(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
