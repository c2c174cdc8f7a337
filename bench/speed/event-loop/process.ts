import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { expose } from '../../support/remote.js';
import { startResilientAuth, type ResilientAuth } from '../resilient-auth.js';
import type { Settings } from '../settings.js';
import { Authorities } from '../tokens/authority.js';
import { forger, tokensOf } from './forgeries.js';

/** The longest that one input holds the event loop, in milliseconds, per round. */
export interface HoldResult {
  readonly input: string;
  readonly longest: readonly number[];
}

/** What attackers send, and what it does to everyone else, in one process. */
export class EventLoop {
  async holds({ eventLoop: { rounds } }: Settings): Promise<HoldResult[]> {
    await using authorities = await Authorities.start();
    const authority = await authorities.open('ES256');
    const auth = await startResilientAuth([authority.trust]);
    const inputs: Readonly<Record<string, readonly string[]>> = {
      '1,000 forged signatures at once': tokensOf(forger(authority), 1000),
      '1,000 new tokens at once': tokensOf(authority, 1000),
      '100 tokens of 16,000 dots': Array.from({ length: 100 }, () => '.'.repeat(16_000)),
      '100 tokens with 1,500 tiny members': Array.from({ length: 100 }, (_, index) => crowded(index)),
    };
    const results: HoldResult[] = [];
    for (const [input, tokens] of Object.entries(inputs)) {
      const longest: number[] = [];
      for (let round = 0; round < rounds; round += 1) longest.push(await longestHold(auth, tokens));
      results.push({ input, longest });
    }
    return results;
  }
}

async function longestHold(auth: ResilientAuth, tokens: readonly string[]): Promise<number> {
  const send = auth.bind(tokens);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await wait(50);
  delay.reset();
  // One in each callback, as requests come.
  const answers = tokens.map(
    (_, index) =>
      new Promise((resolve) =>
        setImmediate(() => resolve(Promise.resolve(send(index)).catch(() => undefined))),
      ),
  );
  await Promise.all(answers);
  await wait(50);
  delay.disable();
  return delay.max / 1e6;
}

function crowded(index: number): string {
  const members = Array.from({ length: 1500 }, (_, member) => [member.toString(36), index % 10]);
  return `${encode({ alg: 'ES256' })}.${encode(Object.fromEntries(members))}.AAAA`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

expose(new EventLoop());
