import { connections, get } from '../support/http-get.js';
import { steadyLoad } from '../support/steady-load.js';
import type { Cell } from './cell.js';

const ANSWER_TIMEOUT = 30_000;

/** Users with valid tokens, at a steady rate. */
export class Users {
  readonly #agent = connections();
  readonly #open = new Set<Promise<void>>();
  /** How long each answer took, in real milliseconds. */
  readonly took: number[] = [];

  constructor(
    private readonly cell: Cell,
    private tokens: readonly string[],
  ) {}

  async come(perSecond: number, seconds: number): Promise<void> {
    await steadyLoad(perSecond, seconds, (index) => {
      if (this.tokens.length > 0) this.#send(this.tokens[index % this.tokens.length]);
    });
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  /** Stops sending until {@link resume}; returns when every request has been answered. */
  async pause(): Promise<void> {
    this.tokens = [];
    await Promise.all(this.#open);
  }

  resume(tokens: readonly string[]): void {
    this.tokens = tokens;
  }

  #send(token: string | undefined): void {
    const answered = this.#use(token).finally(() => this.#open.delete(answered));
    this.#open.add(answered);
  }

  async #use(token: string | undefined): Promise<void> {
    const reply = await get(this.#agent, this.cell.port, token, AbortSignal.timeout(ANSWER_TIMEOUT));
    this.took.push(reply.took);
    this.cell.count('valid', reply, reply.took);
  }
}
