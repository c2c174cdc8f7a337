import { Logger, type OnModuleDestroy } from '@nestjs/common';
import type { Subscription } from 'rxjs';
import { TokenError } from '../../errors/token.errors.js';
import type { MetadataProviders } from '../../metadata/metadata.providers.js';
import type { ResolvedAuthOptions } from '../../options/resolved-options.js';
import type { Clock, TimerHandle } from '../../time/clock.js';
import { nextTurn } from '../../time/event-loop.js';
import { lifetimeOf } from '../../token/parse/lifetime.js';
import type { AuthenticatedToken } from '../authenticated-token.js';
import type { Authenticator } from '../authenticator.js';

/** Node runs a longer timer at once (2^31 - 1 milliseconds, 24.8 days). */
const LONGEST_TIMER = 2_147_483_647;
/** Tokens that are checked or end in one turn of the event loop: many of one second may each close a connection. */
const BATCH = 100;

interface Watched {
  readonly rawToken: string;
  readonly issuer: string;
  readonly onEnd: (reason: TokenError) => void;
}

/** A watched token, and the second in which it ends. */
interface Ending {
  readonly watched: Watched;
  readonly second: number;
}

/**
 * Reports when an accepted token stops being valid, for connections and streams that outlive the check of one request:
 * at `exp` (clock tolerance included) or `maxTokenAge`, and when its key leaves the key set. One timer for all tokens.
 * A token that cannot be checked, because the metadata is not available, counts as valid: an outage closes no connection.
 */
export class TokenWatcher implements OnModuleDestroy {
  readonly #logger = new Logger('TokenWatcher');
  /** By the second in which they end. */
  readonly #bySecond = new Map<number, Set<Watched>>();
  #timer: { readonly handle: TimerHandle; readonly second: number } | undefined;
  readonly #subscriptions = new Map<string, Subscription>();
  #isEnding = false;
  #isClosed = false;

  constructor(
    private readonly authenticator: Pick<Authenticator, 'assertStillValid'>,
    private readonly options: Pick<ResolvedAuthOptions, 'issuers'>,
    private readonly providers: MetadataProviders,
    private readonly clock: Clock,
  ) {}

  /** How many tokens are watched. */
  get size(): number {
    let size = 0;
    for (const watched of this.#bySecond.values()) size += watched.size;
    return size;
  }

  /**
   * Calls back once when the token is no longer valid.
   *
   * @param rawToken as it was received
   * @param token what it was accepted as
   * @returns a function that stops watching
   */
  watch(
    rawToken: string,
    token: Pick<AuthenticatedToken, 'claims' | 'issuer'>,
    onEnd: Watched['onEnd'],
  ): () => void {
    if (this.#isClosed) return () => undefined;
    const watched: Watched = { rawToken, issuer: token.issuer, onEnd };
    const second = this.#endOf(token);
    const group = this.#bySecond.get(second) ?? new Set();
    this.#bySecond.set(second, group.add(watched));
    this.#observeKeys(token.issuer);
    this.#plan(second);
    return () => this.#forget(watched, second);
  }

  onModuleDestroy(): void {
    this.#isClosed = true;
    this.#cancel();
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#bySecond.clear();
  }

  #endOf({ claims, issuer: name }: Pick<AuthenticatedToken, 'claims' | 'issuer'>): number {
    const issuer = this.options.issuers.find((candidate) => candidate.name === name);
    if (!issuer) return Math.ceil(claims.exp);
    const { expires, outdated } = lifetimeOf(claims, issuer);
    return Math.ceil(Math.min(expires, outdated));
  }

  #forget(watched: Watched, second: number): void {
    const group = this.#bySecond.get(second);
    if (!group?.delete(watched) || group.size > 0) return;
    this.#bySecond.delete(second);
    if (this.#timer?.second === second) this.#replan();
  }

  /** One timer, for the earliest end. */
  #plan(second: number): void {
    if (this.#timer && this.#timer.second <= second) return;
    this.#cancel();
    const wait = Math.min(Math.max(0, second * 1000 - this.clock.now()), LONGEST_TIMER);
    this.#timer = { handle: this.clock.setTimeout(() => void this.#endOverdue(), wait), second };
  }

  #replan(): void {
    this.#cancel();
    let earliest = Number.POSITIVE_INFINITY;
    for (const second of this.#bySecond.keys()) earliest = Math.min(earliest, second);
    if (earliest < Number.POSITIVE_INFINITY) this.#plan(earliest);
  }

  #cancel(): void {
    if (this.#timer) this.clock.clearTimeout(this.#timer.handle);
    this.#timer = undefined;
  }

  async #endOverdue(): Promise<void> {
    // What is overdue meanwhile gets a timer of its own at the end.
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#endAllBy(this.clock.now());
    this.#isEnding = false;
    this.#replan();
  }

  async #endAllBy(now: number): Promise<void> {
    const expired = new TokenError('AUTH_TOKEN_EXPIRED', 'The token has expired');
    const ending = this.#endingBy(now);
    for (let start = 0; start < ending.length; start += BATCH) {
      if (start > 0) await nextTurn();
      for (const { watched, second } of ending.slice(start, start + BATCH)) {
        // Its watching may have stopped meanwhile: by a callback, a client that left, or the end of the module.
        if (!this.#bySecond.get(second)?.has(watched)) continue;
        this.#forget(watched, second);
        this.#end(watched, expired);
      }
    }
  }

  #endingBy(now: number): readonly Ending[] {
    return [...this.#bySecond]
      .filter(([second]) => second * 1000 <= now)
      .flatMap(([second, group]) => [...group].map((watched) => ({ watched, second })));
  }

  /** An error of a callback must not keep the others from being called, nor end the process from inside a timer. */
  #end({ onEnd }: Watched, reason: TokenError): void {
    try {
      onEnd(reason);
    } catch (error) {
      this.#logger.error(`A callback of watch threw: ${error instanceof Error ? error.name : typeof error}`);
    }
  }

  #observeKeys(issuer: string): void {
    // A stand-in for the Authenticator may accept tokens of an issuer that is not configured.
    const isConfigured = this.options.issuers.some(({ name }) => name === issuer);
    if (!isConfigured || this.#subscriptions.has(issuer)) return;
    const { metadata$ } = this.providers.get(issuer);
    // The first value is the current snapshot, which the token has just been checked with.
    let isFirst = true;
    this.#subscriptions.set(
      issuer,
      metadata$.subscribe(() => {
        if (!isFirst) void this.#checkAll(issuer);
        isFirst = false;
      }),
    );
  }

  /** Checks the tokens of an issuer against its new keys, in slices of the event loop. */
  async #checkAll(issuer: string): Promise<void> {
    const concerned = this.#endingBy(Number.POSITIVE_INFINITY).filter(
      ({ watched }) => watched.issuer === issuer,
    );
    for (let start = 0; start < concerned.length; start += BATCH) {
      await Promise.all(
        concerned.slice(start, start + BATCH).map(({ watched, second }) => this.#check(watched, second)),
      );
      await nextTurn();
    }
  }

  async #check(watched: Watched, second: number): Promise<void> {
    try {
      await this.authenticator.assertStillValid(watched.rawToken);
    } catch (error) {
      if (!(error instanceof TokenError) || !this.#bySecond.get(second)?.has(watched)) return;
      this.#forget(watched, second);
      this.#end(watched, error);
    }
  }
}
