import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MetadataUnavailableError } from '../../lib/errors/metadata.errors.js';
import { SignatureInvalidError } from '../../lib/errors/token.errors.js';
import { keyOf } from '../support/issuers/scripted-issuer.js';
import { FAULTS, Fixture, RETRY_AFTER } from './fixture.js';
import { PATIENCE, runs } from './settings.js';

/*
 * The promises of docs/design.md section 1 as a model: an issuer that rotates, withdraws, moves and fails, and an API whose
 * answers are compared with what the model says about the key of each token.
 */

const MINUTE = 60_000;
const AUTOMATIC = 10 * MINUTE;
const JITTER = 0.1;
const LIFETIME = 15 * MINUTE;
const REFRESH_INTERVAL = 5000;
const TIMEOUT = 5000;
/** After a failure: the longest backoff, what the issuer asked for, and an exchange that had begun before. */
const GRACE = Math.max(REFRESH_INTERVAL, RETRY_AFTER * 1000) + 2 * TIMEOUT;
const KEYS = 14;

type Answer = 'accepted' | 'refused' | 'could not check' | 'something else';

interface Asked {
  readonly kid: string;
  readonly at: number;
  readonly answered: Promise<{ readonly answer: Answer; readonly at: number }>;
}

/** What is true of one key. */
interface KeyHistory {
  publishedAt: number;
  withdrawnAt: number;
}

/** A successful refresh. */
interface Refresh {
  readonly from: number;
  readonly to: number;
}

/** The issuer as it is, the API as it answers, and the promises between them. */
class World implements Disposable {
  readonly fixture: Fixture;
  readonly history = new Map<string, KeyHistory>();
  readonly answers: Answer[] = [];
  /** The promises that were not kept. */
  readonly broken: string[] = [];
  readonly #asked: Asked[] = [];
  readonly #failing: { from: number; to: number }[] = [];
  #made = 0;
  #pending = 0;
  #moves = 0;
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(random: number, isConditional: boolean) {
    this.fixture = new Fixture(
      {
        automaticRefreshInterval: AUTOMATIC,
        lastKnownGoodLifetime: LIFETIME,
        refreshInterval: REFRESH_INTERVAL,
      },
      random,
    );
    this.fixture.issuer.isConditional = isConditional;
  }

  get now(): number {
    return this.fixture.clock.monotonic();
  }

  get published(): readonly string[] {
    return [...this.history].flatMap(([kid, { withdrawnAt }]) => (withdrawnAt > this.now ? [kid] : []));
  }

  /** Publishes a new key; the old ones stay or go. */
  async rotate(keepOld: boolean): Promise<void> {
    if (this.#made === KEYS) return;
    const kid = `key-${this.#made++}`;
    if (!keepOld) for (const old of this.published) this.#withdraw(old);
    this.history.set(kid, { publishedAt: this.now, withdrawnAt: Number.POSITIVE_INFINITY });
    await this.fixture.issuer.publish(...this.published);
  }

  /** Withdraws a key, unless it is the last one. */
  async remove(index: number): Promise<void> {
    const { published } = this;
    const kid = published[index % published.length];
    if (kid === undefined || published.length === 1) return;
    this.#withdraw(kid);
    await this.fixture.issuer.publish(...this.published);
  }

  #withdraw(kid: string): void {
    const key = this.history.get(kid);
    if (key) key.withdrawnAt = this.now;
  }

  /** An address that is gone again when it is called counts as a failure. */
  move(): void {
    const isAgain = this.now - this.#movedAt < TIMEOUT;
    this.#movedAt = this.now;
    if (isAgain) this.#failing.unshift({ from: this.now, to: this.now });
    this.fixture.issuer.jwksUri = `${this.fixture.issuer.url}/jwks/${++this.#moves}`;
  }

  behave(fault: (typeof FAULTS)[number], latency: number): void {
    const last = this.#failing.at(-1);
    if (last?.to === Number.POSITIVE_INFINITY) last.to = this.now;
    if (fault !== 'none') this.#failing.push({ from: this.now, to: Number.POSITIVE_INFINITY });
    this.fixture.behave(fault, latency);
  }

  /** Sends a token and does not wait. */
  async ask(kid: string): Promise<Asked> {
    const token = await tokenOf(kid, this.fixture);
    const at = this.now;
    this.#pending++;
    const answered = this.fixture.authenticator
      .authenticate(token)
      .then(
        () => ({ answer: 'accepted' as const, at: this.now }),
        (error: unknown) => ({ answer: answerOf(error), at: this.now }),
      )
      .finally(() => this.#pending--);
    const asked = { kid, at, answered };
    this.#asked.push(asked);
    return asked;
  }

  /** A token of a key that the API knows is answered without the clock moving. */
  async askKnown(index: number): Promise<void> {
    const known = this.published.filter((kid) => this.#isServed(kid));
    const kid = known[index % known.length];
    if (kid === undefined) return;
    const { answered, at } = await this.ask(kid);
    const others = this.#pending;
    await this.fixture.settle();
    if (this.#pending === others) return this.#promise(false, `${kid} is known, and has to wait`);
    const { answer, at: answeredAt } = await answered;
    this.#promise(
      answer === 'accepted' && answeredAt === at,
      `${kid} is known, and ${answer} at ${answeredAt}`,
    );
  }

  /** Whether a refresh has brought this key, and no promise about last known good has run out since. */
  #isServed(kid: string): boolean {
    const key = this.history.get(kid);
    const refreshes = this.#refreshes().filter(({ to }) => to <= this.now);
    const last = refreshes.at(-1);
    const hasCome = refreshes.some(({ from }) => key !== undefined && from > key.publishedAt);
    return hasCome && last !== undefined && this.now < last.from + (1 - JITTER) * AUTOMATIC + LIFETIME;
  }

  /** The successful refreshes, from their start to their end. */
  #refreshes(): readonly Refresh[] {
    let from = Number.NaN;
    return this.fixture.observed.flatMap(({ at, event }) => {
      if (event.type === 'refresh-started') from = at;
      return event.type === 'refresh-succeeded' ? [{ from, to: at }] : [];
    });
  }

  #hasFailedBetween(from: number, to: number): boolean {
    return this.#failing.some((failure) => failure.from <= to && failure.to >= from);
  }

  /** Waits for all of them, and holds each answer against the promises. */
  async judge(): Promise<void> {
    for (let second = 0; second < 120 && this.#pending > 0; second++) await this.fixture.clock.advance(1000);
    this.#promise(this.#pending === 0, 'every request has an answer');
    for (const asked of this.#asked) this.#judge(asked, await asked.answered);
  }

  #judge({ kid, at }: Asked, { answer, at: answeredAt }: { answer: Answer; at: number }): void {
    this.answers.push(answer);
    const what = `${kid}, asked at ${at} and ${answer} at ${answeredAt}`;
    const key = this.history.get(kid);
    const isGood = key !== undefined && key.publishedAt <= at && key.withdrawnAt > answeredAt;
    switch (answer) {
      case 'accepted':
        return this.#judgeAccepted(at, answeredAt, key?.withdrawnAt ?? Number.NEGATIVE_INFINITY, what);
      case 'refused':
        return this.#promise(!isGood, `${what}: the key is published`);
      case 'could not check':
        // 503 is for failures: no flood and no rollover is one.
        return this.#promise(this.#hasFailedBetween(at - GRACE, answeredAt), `${what}: nothing has failed`);
      default:
        return this.#promise(false, what);
    }
  }

  #judgeAccepted(at: number, answeredAt: number, withdrawnAt: number, what: string): void {
    const refreshes = this.#refreshes();
    const isRecent = ({ from, to }: Refresh): boolean =>
      to <= answeredAt && at - from < (1 + JITTER) * AUTOMATIC + LIFETIME;
    this.#promise(refreshes.some(isRecent), `${what}: by keys that have expired`);
    const isUnnoticed = ({ from, to }: Refresh): boolean => from > withdrawnAt && to < at;
    this.#promise(!refreshes.some(isUnnoticed), `${what}: withdrawn at ${withdrawnAt}, and refreshed since`);
    // Without a failure the schedule comes round: no withdrawn key serves longer than an interval.
    const isOverdue = at - withdrawnAt > (1 + JITTER) * AUTOMATIC + TIMEOUT;
    const hasFailed = this.#hasFailedBetween(withdrawnAt - 5 * MINUTE, at);
    this.#promise(!isOverdue || hasFailed, `${what}: withdrawn at ${withdrawnAt}, long ago`);
  }

  #promise(isKept: boolean, what: string): void {
    if (!isKept) this.broken.push(what);
  }

  [Symbol.dispose](): void {
    this.fixture[Symbol.dispose]();
  }
}

const tokens = new Map<string, Promise<string>>();

/** One token per key: the second time round it may come out of the cache, where a withdrawn key must not serve either. */
function tokenOf(kid: string, { issuer }: Fixture): Promise<string> {
  const known = tokens.get(kid) ?? issuer.sign(kid, { iat: undefined, exp: Date.UTC(2030, 0, 1) / 1000 });
  tokens.set(kid, known);
  return known;
}

function answerOf(error: unknown): Answer {
  if (error instanceof MetadataUnavailableError) return 'could not check';
  return error instanceof SignatureInvalidError ? 'refused' : 'something else';
}

const index = fc.nat(1000);
const command = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rotate' as const), keepOld: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), index }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('move' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('behave' as const),
      fault: fc.oneof(fc.constant('none' as const), fc.constantFrom(...FAULTS)),
      latency: fc.constantFrom(0, 30, 400),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      milliseconds: fc.oneof(
        fc.integer({ min: 0, max: 1000 }),
        fc.integer({ min: 0, max: 30_000 }),
        fc.integer({ min: 0, max: 25 * MINUTE }),
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask-newest' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask-any' as const), index }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask-known' as const), index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('outage' as const),
      fault: fc.constantFrom(...FAULTS),
      milliseconds: fc.integer({ min: 0, max: 45 * MINUTE }),
      index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('race' as const),
      milliseconds: fc.integer({ min: 0, max: 900 }),
      keepOld: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('flood' as const), size: fc.integer({ min: 1, max: 15 }) }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

async function obey(world: World, order: Command): Promise<void> {
  const everPublished = [...world.history.keys()];
  switch (order.kind) {
    case 'rotate':
      return world.rotate(order.keepOld);
    case 'remove':
      return world.remove(order.index);
    case 'move':
      return world.move();
    case 'behave':
      return world.behave(order.fault, order.latency);
    case 'pass':
      return world.fixture.clock.advance(order.milliseconds);
    case 'ask-newest':
      await world.ask(everPublished.at(-1) ?? '');
      return;
    case 'ask-any':
      await world.ask(everPublished[order.index % everPublished.length] ?? '');
      return;
    case 'ask-known':
      return world.askKnown(order.index);
    case 'outage':
      world.behave(order.fault, 0);
      await world.fixture.clock.advance(order.milliseconds);
      await world.askKnown(order.index);
      await world.ask(world.published[order.index % world.published.length] ?? '');
      return;
    case 'race':
      // A key that comes while a refresh is under way, and its token before the refresh is over.
      await world.ask('forged-0');
      await world.fixture.clock.advance(order.milliseconds);
      await world.rotate(order.keepOld);
      await world.ask([...world.history.keys()].at(-1) ?? '');
      return;
    case 'flood':
      // Forged tokens with key ids that never were.
      for (let forged = 0; forged < order.size; forged++) await world.ask(`forged-${forged % 5}`);
  }
}

await Promise.all(Array.from({ length: KEYS }, (_, number) => keyOf(`key-${number}`)));

describe('the life cycle of keys', { timeout: PATIENCE }, () => {
  it('keeps its invariants through random rollovers, outages and floods', async () => {
    const answers: Answer[] = [];
    const walk = fc.record({
      orders: fc.array(command, { minLength: 5, maxLength: 60 }),
      startsFailing: fc.boolean(),
      latency: fc.constantFrom(0, 30, 400),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
      isConditional: fc.boolean(),
    });
    const property = fc.asyncProperty(
      walk,
      async ({ orders, startsFailing, latency, random, isConditional }) => {
        using world = new World(random, isConditional);
        await world.rotate(true);
        await world.fixture.clock.advance(1);
        world.behave(startsFailing ? 'unreachable' : 'none', latency);
        const started = world.fixture.provider.start();
        await world.fixture.clock.advance(1000);
        await started;
        for (const order of orders) {
          await obey(world, order);
          // What happens in one millisecond has no order.
          await world.fixture.clock.advance(1);
        }
        await world.judge();
        answers.push(...world.answers);
        expect(world.broken).toEqual([]);
      },
    );
    await fc.assert(property, runs(200));
    // A walk that never meets one of the three proves nothing about it.
    const counts = ['accepted', 'refused', 'could not check'].map(
      (kind) => answers.filter((answer) => answer === kind).length,
    );
    expect(Math.min(...counts)).toBeGreaterThan(100);
  });
});
