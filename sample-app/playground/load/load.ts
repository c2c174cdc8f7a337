import { randomUUID } from 'node:crypto';
import type { EmbeddedProvider } from '../../provider/embedded-provider.js';
import { ask, type Caller } from '../../traffic/ask.js';
import { Pace } from '../../traffic/pace.js';
import type { OutcomeWatch } from './outcome-watch.js';
import { sides, type Recorder, type Side } from './recorder.js';
import { forgeToken, ordinaryClaims } from './sign-token.js';
import type { StockedToken, TokenStock } from './token-stock.js';

// Per second and side. Together a few hundred requests a second, which no option raises.
const validPerSecond = 40;
// In bursts with pauses: each burst makes the library check with the provider, which its budget must not end.
const withdrawnBurst = 25;
const withdrawnBurstsPerSecond = 1 / 5;
const forgedPerSecond = 100;
/** Connections of the attacker to each side: while all of them wait for an answer, it sends nothing. */
const attackerConnections = 100;
/** One forged token in so many names a published key, the others a key that does not exist. */
const knownKeyIdIn = 10;

export interface LoadParts {
  readonly provider: EmbeddedProvider;
  readonly audience: string;
  readonly stock: TokenStock;
  readonly recorders: Readonly<Record<Side, Recorder>>;
  readonly watch: OutcomeWatch;
}

/** Sends the same requests to both sides at the same moment, and has their answers counted. */
export class Load {
  /** Addresses of the protected route; nothing is sent before they are set. */
  targets: Readonly<Record<Side, string>> | undefined;
  isOn = true;
  isFlooding = false;
  #viewers = 0;
  #forged = 0;
  readonly #attacking: Record<Side, number> = { library: 0, recipe: 0 };
  readonly #valid = new Pace(validPerSecond, () => this.#sendValid());
  readonly #withdrawn = new Pace(withdrawnBurstsPerSecond, () => this.#sendWithdrawn());
  readonly #flood = new Pace(forgedPerSecond, () => this.#sendForged());

  constructor(private readonly parts: LoadParts) {}

  /** The load pauses while no page shows it. */
  changeViewers(change: 1 | -1): void {
    this.#viewers += change;
    this.apply();
  }

  /** Starts and stops what `isOn`, `isFlooding` and the number of viewers ask for. */
  apply(): void {
    const isWatched = this.#viewers > 0 && this.targets !== undefined;
    toggle(this.#valid, isWatched && this.isOn);
    toggle(this.#withdrawn, isWatched && this.isOn);
    toggle(this.#flood, isWatched && this.isFlooding);
  }

  stop(): void {
    this.targets = undefined;
    this.apply();
  }

  #sendValid(): void {
    const stocked = this.parts.stock.nextValid();
    if (!stocked) return;
    for (const side of sides) void this.#sendOneValid(side, stocked);
  }

  async #sendOneValid(side: Side, { token, source }: StockedToken): Promise<void> {
    const { recorders, stock, watch } = this.parts;
    const count = recorders[side].sendValid();
    const answer = await this.#ask(side, token);
    // The key was withdrawn while the request was under way: both answers are right.
    count(answer, answer.status === 200 || stock.isPublished(source) ? 'valid' : 'ignored');
    if (stock.isSigning(source)) watch.noteSigningKey(side, answer);
    watch.noteKnownKey(side, answer.status);
  }

  #sendWithdrawn(): void {
    for (let sent = 0; sent < withdrawnBurst; sent += 1) {
      const stocked = this.parts.stock.nextWithdrawn();
      if (!stocked) return;
      for (const side of sides) void this.#sendOneWithdrawn(side, stocked);
    }
  }

  async #sendOneWithdrawn(side: Side, { token, source }: StockedToken): Promise<void> {
    const { recorders, stock, watch } = this.parts;
    const count = recorders[side].sendBad();
    const sentAt = performance.now();
    const answer = await this.#ask(side, token, 'attacker');
    const hasPassed = answer.status === 200;
    if (hasPassed && !stock.isNoticeable(source, sentAt)) return count(answer, 'ignored');
    count(answer, 'bad');
    watch.noteWithdrawnKey(side, hasPassed ? 'passed' : 'stopped');
  }

  #sendForged(): void {
    const { provider, audience } = this.parts;
    const published = provider.ring.keys[0]?.kid;
    const kid = this.#forged++ % knownKeyIdIn === 0 && published ? published : randomUUID();
    const token = forgeToken(ordinaryClaims(provider.issuer, audience), kid);
    for (const side of sides) {
      if (this.#attacking[side] < attackerConnections) void this.#sendOneForged(side, token);
    }
  }

  async #sendOneForged(side: Side, token: string): Promise<void> {
    this.#attacking[side] += 1;
    const count = this.parts.recorders[side].sendBad();
    count(await this.#ask(side, token, 'attacker'), 'bad');
    this.#attacking[side] -= 1;
  }

  async #ask(side: Side, token: string, caller: Caller = 'client'): ReturnType<typeof ask> {
    const url = this.targets?.[side];
    return url === undefined ? { status: 0, milliseconds: 0 } : ask(url, token, caller);
  }
}

function toggle(pace: Pace, isWanted: boolean): void {
  if (isWanted) pace.start();
  else pace.stop();
}
