import { createHash } from 'node:crypto';
import type { Clock } from '../../../lib/time/clock.js';
import type {
  FailureNotice,
  GrantedLease,
  LeaseRequest,
  LeasingMetadataStore,
  MetadataLease,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from '../../../lib/metadata/store/metadata-store.js';
import { SignedEnvelope } from '../../../lib/redis/signed-envelope.js';
import { ACQUIRE, LOAD, RELEASE, SAVE } from '../../../lib/redis/scripts.js';
import { exponential, type Random } from './random.js';
import { Traffic, wireSize } from './traffic.js';

/** Milliseconds one way within a data centre; now and then a packet, or a garbage collection, is late. */
const NEAREST = 0.15;
const FARTHER = 0.15;
const LATE_SHARE = 0.01;
const LATE = 10;
/**
 * Milliseconds that Redis, which does one thing at a time, spends on a script and on writing to one subscriber: the
 * processor time of Redis 7.0 on the machine this was written on, with 2,000 subscribers.
 */
const PER_SCRIPT = 0.02;
const PER_SUBSCRIBER = 0.0075;
/** Milliseconds: what arrives within one is handed over together. */
const STEP = 1;
const FENCE_LIFETIME = 2_592_000_000;

interface Snapshot {
  readonly metadata: StoredMetadata;
  readonly size: number;
  readonly expiresAt: number;
}

/**
 * The semantics of `RedisMetadataStore` and its scripts, without Redis: one issuer, one server that does one thing at a
 * time, a network with latency, and the bytes that each command would be.
 */
export class SimulatedRedis implements LeasingMetadataStore, WatchableMetadataStore {
  readonly traffic = new Traffic();
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #envelope = new SignedEnvelope(['an integrity key of the simulation']);
  readonly #listeners: StoreListener[] = [];
  readonly #grantedAt = new Map<string, number>();
  #busyUntil = 0;
  #tokens = 0;
  #snapshot: Snapshot | undefined;
  #lease: { readonly token: string; readonly expiresAt: number } | undefined;
  #fence: { readonly value: number; readonly expiresAt: number } | undefined;
  #budgetFullAt = 0;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Bytes of the snapshot as it is kept. */
  get snapshotSize(): number {
    return this.#snapshot?.size ?? 0;
  }

  load(issuer: string): Promise<StoredMetadata | undefined> {
    return this.#run([LOAD, 1, keyOf(issuer, 'snapshot')], (now) => {
      const kept = this.#snapshot && this.#snapshot.expiresAt > now ? this.#snapshot : undefined;
      return [kept && aged(kept.metadata, now), (kept?.size ?? 0) + 30];
    });
  }

  save(metadata: StoredMetadata, { expiresIn, lease }: SaveOptions): Promise<void> {
    const { issuer } = metadata;
    if (!lease) return Promise.resolve();
    const checkedAt = this.#grantedAt.get(lease.handle) ?? 0;
    const sealed = this.#envelope.sign('snapshot', { ...metadata, fence: lease.fence, checkedAt });
    const keys = [keyOf(issuer, 'snapshot'), keyOf(issuer, 'lease'), keyOf(issuer, 'fence')];
    const values = [lease.handle, lease.fence, sealed, Math.ceil(expiresIn), keyOf(issuer, 'checks')];
    return this.#run([SAVE, 3, ...keys, ...values], (now) => {
      const last = this.#fence && this.#fence.expiresAt > now ? this.#fence.value : undefined;
      if (last !== undefined && last > lease.fence) return [undefined, 4];
      const stored = { ...metadata, fence: lease.fence, checkedAt };
      this.#snapshot = { metadata: stored, size: sealed.length, expiresAt: now + Math.ceil(expiresIn) };
      this.#publish(issuer, sealed, (listener, at) => listener.received(aged(stored, at)));
      if (this.#lease?.token === lease.handle) this.#lease = undefined;
      return [undefined, 4];
    });
  }

  acquireLease(issuer: string, { duration, seen, budget }: LeaseRequest): Promise<MetadataLease> {
    const token = `00000000-0000-4000-8000-${String(++this.#tokens).padStart(12, '0')}`;
    const { burst = 0, interval = 0, reserve = 0 } = budget ?? {};
    const keys = [keyOf(issuer, 'lease'), keyOf(issuer, 'fence'), keyOf(issuer, 'budget')];
    const limits = [Math.ceil(duration), seen, burst, interval, Math.ceil(this.#clock.now() + 1000), reserve];
    return this.#run([ACQUIRE, 3, ...keys, token, ...limits], (now) => {
      const refuse = (reason: 'held' | 'budget-spent', wait: number): [MetadataLease, number] => {
        return [{ isGranted: false, reason, fence, retryAfter: Math.ceil(wait) }, 48];
      };
      const fence = Math.max(
        this.#fence && this.#fence.expiresAt > now ? this.#fence.value : Math.floor(now),
        seen,
      );
      const held = this.#lease ? this.#lease.expiresAt - now : 0;
      if (held > 0) return refuse('held', held);
      if (burst > 0) {
        const fullAt = Math.max(now, this.#budgetFullAt);
        const permittedAt = fullAt - (burst - 1 - reserve) * interval;
        if (permittedAt > now) return refuse('budget-spent', permittedAt - now);
        this.#budgetFullAt = fullAt + interval;
      }
      this.#fence = { value: fence + 1, expiresAt: now + FENCE_LIFETIME };
      this.#lease = { token, expiresAt: now + Math.ceil(duration) };
      this.#grantedAt.set(token, now);
      return [{ isGranted: true, fence: fence + 1, handle: token }, 48];
    });
  }

  releaseLease(
    issuer: string,
    { handle: token, fence }: GrantedLease,
    failure?: FailureNotice,
  ): Promise<void> {
    const content = failure && { ...failure, issuer, fence, at: this.#clock.now() };
    const notice = content ? `!${this.#envelope.sign('failure', content)}` : '';
    return this.#run([RELEASE, 1, keyOf(issuer, 'lease'), token, keyOf(issuer, 'checks'), notice], () => {
      if (this.#lease?.token === token) this.#lease = undefined;
      if (failure) this.#publish(issuer, notice, (listener) => listener.failed({ ...failure, fence }));
      return [undefined, 4];
    });
  }

  watch(issuer: string, listener: StoreListener): () => void {
    this.#listeners.push(listener);
    this.traffic.add(this.#clock.monotonic(), 1, 2 * wireSize(['subscribe', keyOf(issuer, 'checks')]));
    void this.#greet(issuer, listener);
    return () => void this.#listeners.splice(this.#listeners.indexOf(listener), 1);
  }

  /** A new subscriber has missed earlier messages: the latest snapshot is delivered to it. */
  async #greet(issuer: string, listener: StoreListener): Promise<void> {
    const stored = await this.load(issuer);
    if (stored) listener.received(stored);
    listener.listening();
  }

  /** One command there and its answer back. `command` returns the answer and its bytes; times in it are Redis' clock. */
  #run<Answer>(
    parts: readonly (string | number)[],
    command: (now: number) => [Answer, number],
  ): Promise<Answer> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(() => {
        this.#work(PER_SCRIPT);
        const [answer, size] = command(this.#clock.now());
        this.traffic.add(this.#clock.monotonic(), 1, wireSize(['EVAL', ...parts]) + size);
        this.#clock.setTimeout(() => resolve(answer), this.#backlog() + this.#latency());
      }, this.#latency());
    });
  }

  /** Each subscriber in turn, and the network after that. */
  #publish(issuer: string, text: string, deliver: (listener: StoreListener, at: number) => void): void {
    const size = wireSize(['message', keyOf(issuer, 'checks'), text]);
    const arrivals = new Map<number, StoreListener[]>();
    for (const listener of this.#listeners) {
      this.#work(PER_SUBSCRIBER);
      const arrivesIn = Math.ceil((this.#backlog() + this.#latency()) / STEP) * STEP;
      const others = arrivals.get(arrivesIn);
      if (others) others.push(listener);
      else arrivals.set(arrivesIn, [listener]);
    }
    this.traffic.add(this.#clock.monotonic(), 0, size * this.#listeners.length);
    for (const [arrivesIn, listeners] of arrivals) {
      this.#clock.setTimeout(() => {
        for (const listener of listeners) deliver(listener, this.#clock.now());
      }, arrivesIn);
    }
  }

  #work(milliseconds: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.#clock.monotonic()) + milliseconds;
  }

  #backlog(): number {
    return Math.max(0, this.#busyUntil - this.#clock.monotonic());
  }

  #latency(): number {
    const late = this.#random() < LATE_SHARE ? this.#random() * LATE : 0;
    return NEAREST + exponential(this.#random, FARTHER) + late;
  }
}

function aged(metadata: StoredMetadata, now: number): StoredMetadata {
  return { ...metadata, age: now - metadata.checkedAt };
}

function keyOf(issuer: string, name: string): string {
  return `nestjs-resilient-auth:{${createHash('sha256').update(issuer).digest('base64url')}}:${name}`;
}
