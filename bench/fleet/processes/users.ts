import { setTimeout as wait } from 'node:timers/promises';
import { connections, get } from '../../support/http-get.js';
import type { Fleet, Member } from './fleet.js';
import { epochTime } from './epoch-time.js';

const TICK = 10;
const ANSWER_TIMEOUT = 30_000;

/** How one valid request ended. */
export interface Visit {
  readonly member: Member;
  readonly kid: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly took: number;
  readonly status: number | undefined;
}

/** Users with valid tokens at a steady rate, to each replica in turn, half of them with the latest key. */
export class Users {
  readonly visits: Visit[] = [];
  readonly #agent = connections();
  readonly #open = new Set<Promise<void>>();
  readonly #coming: Promise<void>;
  #sent = 0;
  #isOver = false;

  /** @param perSecond to each replica */
  constructor(
    private readonly fleet: Fleet,
    private readonly perSecond: number,
  ) {
    this.#coming = this.#come();
  }

  /** Stops sending. @returns when every request has been answered */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#coming;
    await Promise.all(this.#open);
    this.#agent.destroy();
  }

  async #come(): Promise<void> {
    let due = 0;
    let last = performance.now();
    while (!this.#isOver) {
      await wait(TICK);
      const now = performance.now();
      due += ((now - last) / 1000) * this.perSecond * this.fleet.members.length;
      last = now;
      for (; due >= 1; due -= 1) this.#send();
    }
  }

  #send(): void {
    const { members, latest, previous } = this.fleet;
    const round = Math.floor(this.#sent / members.length);
    const member = members[this.#sent % members.length];
    this.#sent += 1;
    if (!member) return;
    const { kid, tokens } = round % 2 === 0 ? latest : previous;
    const visit = this.#visit(member, kid, tokens[round % tokens.length]).finally(() =>
      this.#open.delete(visit),
    );
    this.#open.add(visit);
  }

  async #visit(member: Member, kid: string, token: string | undefined): Promise<void> {
    const sentAt = epochTime();
    const { status, took } = await get(this.#agent, member.port, token, AbortSignal.timeout(ANSWER_TIMEOUT));
    this.visits.push({ member, kid, sentAt, took, status });
  }
}
