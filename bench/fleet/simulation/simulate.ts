import { resolveAuthOptions } from '../../../lib/options/resolve-options.js';
import type { ResolvedMetadataOptions } from '../../../lib/metadata/metadata-options.js';
import type { Day } from './day.js';
import { FIRST_KEY, ISSUER, SimulatedIssuer } from './issuer.js';
import { exponential, seeded, type Random } from './random.js';
import { SimulatedRedis } from './redis.js';
import { SimulatedReplica } from './replica.js';
import type { SimulationResult } from './result.js';
import { Tally } from './tally.js';
import { VirtualClock } from './virtual-clock.js';

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
  readonly #tally = new Tally(this.#clock);
  #isVictimSought = false;

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
        learned: (kid) => this.#tally.learned(kid),
      });
      this.#replicas.push(replica);
      this.#at(this.#random() * this.day.boot, () => void this.#start(replica));
    }
  }

  async #start(replica: SimulatedReplica): Promise<void> {
    await replica.start();
    if (!replica.serves(FIRST_KEY)) this.#tally.bootRefused += 1;
  }

  #refreshed(replica: SimulatedReplica): void {
    this.#tally.refreshed();
    if (!this.#isVictimSought) return;
    this.#isVictimSought = false;
    // Before the answer can arrive.
    this.#clock.setTimeout(() => replica.kill(), 1);
  }

  #rollOver(): void {
    const kid = this.#issuer.rollOver();
    this.#tally.published(kid);
    for (const replica of this.#replicas) {
      this.#clock.setTimeout(
        () => void this.#useNew(replica, kid),
        exponential(this.#random, this.day.firstToken),
      );
    }
  }

  async #useNew(replica: SimulatedReplica, kid: string): Promise<void> {
    if (!replica.isAlive) return;
    this.#tally.requests += 1;
    const sentAt = this.#clock.monotonic();
    const isAccepted = await replica.authenticate(kid);
    // Requests that a killed process leaves unanswered do not count.
    if (replica.isAlive) this.#tally.answered(kid, sentAt, isAccepted);
  }

  #useKnown(): void {
    const { known, knownKey } = this.#tally;
    for (const replica of this.#replicas.filter(({ isAlive }) => isAlive)) {
      known.sent += 1;
      if (!replica.serves(knownKey)) known.refused += 1;
    }
  }

  #result(
    { automaticRefreshInterval: interval }: ResolvedMetadataOptions,
    end: number,
    memoryPerReplica: number,
    residentMegabytes: number,
  ): SimulationResult {
    const { calm, outage, ...day } = this.day;
    const suffered = { from: outage.from, to: Math.max(outage.from, Math.min(outage.to, end)) };
    const { traffic, snapshotSize } = this.#redis;
    const { known, requests, bootRefused } = this.#tally;
    return {
      day: this.day,
      end,
      boot: { ...this.#demand({ from: 0, to: calm.from }), refused: bootRefused },
      calm: { ...this.#demand(calm), intervals: (calm.to - calm.from) / interval },
      rollovers: this.#tally.rollovers(
        (at) => (at === day.holderKilled ? 'holder-killed' : at === outage.to ? 'after-outage' : 'usual'),
        (at) => (at < day.holderKilled ? day.replicas : day.replicas - 1),
        (span) => this.#demand(span).calls,
      ),
      outage: { ...this.#demand(suffered), minutes: (suffered.to - suffered.from) / 60_000 },
      known,
      requests,
      redis: {
        day: traffic.load(0, end),
        calm: traffic.load(calm.from, calm.to),
        rollovers: traffic.load(day.rollovers[0] ?? outage.from, outage.from),
        outage: traffic.load(suffered.from, suffered.to),
        snapshotSize,
      },
      memoryPerReplica,
      residentMegabytes,
      took: (performance.now() - this.#begun) / 1000,
    };
  }

  #demand({ from, to }: { from: number; to: number }): { refreshes: number; calls: number } {
    return {
      refreshes: this.#tally.refreshesWithin({ from, to }),
      calls: this.#issuer.calls.filter((at) => at >= from && at < to).length,
    };
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
