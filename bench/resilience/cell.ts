import { setTimeout as wait } from 'node:timers/promises';
import { Child } from '../support/child.js';
import { connections, get, type Reply } from '../support/http-get.js';
import { remote, type Remote } from '../support/remote.js';
import type { ProtectedService } from './protected-service.js';
import type { Provider } from './provider.js';
import type { AttackResult } from './attacker.js';
import type { CellResult } from './cell-result.js';
import { Tally, type Probe } from './tally.js';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** How long a client waits for an answer. */
const CLIENT_TIMEOUT = 60 * SECOND;

/** One library in one row: a provider and a service of its own, two processes, and the answers to its requests. */
export class Cell implements AsyncDisposable {
  readonly tally = new Tally();
  /** Figures that only some rows have. */
  readonly extras: Record<string, number> = {};
  readonly #agent = connections();
  #service:
    { readonly child: Child; readonly calls: Remote<ProtectedService>; readonly port: number } | undefined;
  #offset = 0;

  private constructor(
    readonly library: string,
    private readonly providerProcess: Child,
    readonly provider: Remote<Provider>,
  ) {}

  static async open(library: string): Promise<Cell> {
    const child = await Child.start(new URL('provider.js', import.meta.url));
    return new Cell(library, child, remote<Provider>(child.process));
  }

  /** Starts the service. */
  async boot(): Promise<void> {
    const { issuer, jwksUri, audience } = await this.provider.addresses();
    const module = new URL('protected-service.js', import.meta.url);
    const child = await Child.start(module, [this.library, issuer, jwksUri, audience]);
    const calls = remote<ProtectedService>(child.process);
    this.#service = { child, calls, port: await calls.port() };
  }

  /** Starts the service and lets it see its first tokens; calls to the provider until then are not counted. */
  async warmUp(): Promise<void> {
    await this.boot();
    const tokens = await this.provider.mint(5);
    for (const [index, token] of tokens.entries()) {
      const { status } = await this.#get(token);
      if (status !== 200) throw new Error(`${this.library} answers ${status} when nothing is wrong`);
      // After the libraries' cool-down of a minute, before their refresh after ten minutes.
      if (index < tokens.length - 1) await this.advance(MINUTE / 2);
    }
    await this.beginCount();
  }

  /** Starts the count anew. */
  async beginCount(): Promise<void> {
    this.#isCounting = true;
    await this.provider.clearCalls();
    this.tally.reset();
    this.#refreshesBefore = (await this.service.refreshes()) ?? 0;
  }
  #refreshesBefore = 0;

  /** Counts nothing from here to the end of the row. */
  endCount(): void {
    this.#isCounting = false;
  }
  #isCounting = true;

  get service(): Remote<ProtectedService> {
    return this.#running.calls;
  }

  get pid(): number | undefined {
    return this.#running.child.process.pid;
  }

  get port(): number {
    return this.#running.port;
  }

  get isServiceRunning(): boolean {
    return this.#running.child.isRunning;
  }

  /** Ends a service that exceeds its memory limit. */
  endService(): Promise<void> {
    this.#wasEnded = true;
    return this.#running.child.end();
  }
  #wasEnded = false;

  /** Milliseconds on the shifted clock. */
  now(): number {
    return performance.now() + this.#offset;
  }

  /** Shifts the clocks of provider and service. */
  async advance(milliseconds: number): Promise<void> {
    await this.provider.advance(milliseconds);
    // A service that has just crashed is found out by its next request.
    this.#offset = await this.service.advance(milliseconds).catch(() => this.#offset + milliseconds);
  }

  async advanceTo(time: number): Promise<void> {
    if (time > this.now()) await this.advance(time - this.now());
  }

  /** The provider is available from now on. */
  restored(): void {
    this.tally.restored(this.now());
  }

  /** Sends one token; the clock is shifted while the library waits for longer than the bench can. */
  async probe(probe: Probe, token: string): Promise<void> {
    const begun = this.now();
    const begunReal = performance.now();
    const given = new AbortController();
    const answered = this.#get(token, given.signal);
    let reply = await Promise.race([answered, wait(25, undefined)]);
    while (!reply) {
      if (this.now() - begun > CLIENT_TIMEOUT || !this.isServiceRunning) given.abort();
      else if (await this.#isStuck(begunReal))
        await this.advance(this.now() - begun < 10 * SECOND ? SECOND : 5 * SECOND);
      reply = await Promise.race([answered, wait(2, undefined)]);
    }
    this.count(probe, reply, this.now() - begun);
  }

  /** Sends several at once, in real time. */
  async probeAll(probe: Probe, tokens: readonly string[], timeout = CLIENT_TIMEOUT): Promise<void> {
    await Promise.all(
      tokens.map(async (token) => {
        const reply = await this.#get(token, AbortSignal.timeout(timeout));
        this.count(probe, reply, reply.took);
      }),
    );
  }

  count(probe: Probe, { status }: Reply, took: number): void {
    if (this.#isCounting) this.tally.add(probe, status, this.now(), took);
  }

  /** Counts what came back of an attack. */
  countForged({ statuses, slowest }: AttackResult): void {
    if (!this.#isCounting) return;
    for (const [status, times] of statuses)
      for (let time = 0; time < times; time += 1)
        this.tally.add('forged', status ?? undefined, this.now(), slowest);
  }

  /** Ends the row: what was asked of the provider in it, and whether forged tokens pass after it. */
  async finish(): Promise<CellResult> {
    const calls = await this.provider.calls();
    const refreshes = this.isServiceRunning ? await this.service.refreshes() : undefined;
    if (this.isServiceRunning) {
      await this.provider.recover();
      this.#isCounting = true;
      for (const token of await this.provider.forgeries()) await this.probe('forged', token);
    }
    const { tally, extras } = this;
    return {
      calls,
      end: this.#wasEnded ? 'stopped' : this.isServiceRunning ? 'running' : 'crashed',
      ...(refreshes !== undefined && { refreshes: refreshes - this.#refreshesBefore }),
      sent: tally.sent,
      accepted: tally.accepted,
      refused: tally.refused,
      wrongStatus: Object.fromEntries(tally.wrongStatus),
      slowestValid: tally.slowestValid,
      slowestForged: tally.slowestForged,
      recovery: tally.recovery,
      extras,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    await Promise.all([this.#service?.child.end(), this.providerProcess.end()]);
  }

  get #running() {
    if (!this.#service) throw new Error('The service has not been started');
    return this.#service;
  }

  #get(token: string, signal?: AbortSignal): Promise<Reply> {
    return get(this.#agent, this.port, token, signal);
  }

  /** Whether the library waits for the provider or for a timer, and not only for processor time. */
  async #isStuck(begunReal: number): Promise<boolean> {
    if (!this.isServiceRunning) return false;
    return performance.now() - begunReal > SECOND || this.service.isWaitingForProvider().catch(() => false);
  }
}
