import { connections, get } from '../support/http-get.js';
import { expose } from '../support/remote.js';
import { steadyLoad } from '../support/steady-load.js';

const ANSWER_TIMEOUT = 30_000;

/** The answers to an attack. */
export interface AttackResult {
  /** How often each status came; `null`: no answer. */
  readonly statuses: readonly (readonly [status: number | null, times: number])[];
  /** Milliseconds. */
  readonly slowest: number;
}

/** Sends an attack from a process of its own, so that its work does not add to the service's latency. */
export class Attacker {
  /**
   * One request for each token, at a steady rate; `null` is a request without a token.
   *
   * @returns when all have been answered
   */
  async attack(port: number, perSecond: number, tokens: readonly (string | null)[]): Promise<AttackResult> {
    const agent = connections();
    const statuses = new Map<number | null, number>();
    let slowest = 0;
    const send = async (token: string | null | undefined): Promise<void> => {
      const { status = null, took } = await get(
        agent,
        port,
        token ?? undefined,
        AbortSignal.timeout(ANSWER_TIMEOUT),
      );
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      slowest = Math.max(slowest, took);
    };
    const open: Promise<void>[] = [];
    await steadyLoad(perSecond, tokens.length / perSecond, (index) => void open.push(send(tokens[index])));
    await Promise.all(open);
    agent.destroy();
    return { statuses: [...statuses], slowest };
  }
}

// Imported for its type alone by the bench, this file runs only as a process.
if (process.send) expose(new Attacker());
