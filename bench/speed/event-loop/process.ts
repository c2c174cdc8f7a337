import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { expose } from '../../support/remote.js';
import { startResilientAuth, type ResilientAuth } from '../resilient-auth.js';
import type { Settings } from '../settings.js';
import { makeKeyPair, type Algorithm } from '../tokens/algorithms.js';
import { Authorities, type Authority } from '../tokens/authority.js';
import { TokenSigner, type TokenOrder } from '../tokens/signing.js';

/** Known tokens beside forged ones. */
export interface ForgedResult {
  readonly alg: Algorithm;
  /** p99 of a known token in milliseconds, from the moment it is due, per round. */
  readonly calm: readonly number[];
  readonly flooded: readonly number[];
}

/** The longest that one input holds the event loop, in milliseconds, per round. */
export interface HoldResult {
  readonly input: string;
  readonly longest: readonly number[];
}

const FORGED_PER_SECOND = 5000;
const KNOWN_TOKENS = 100;

/** What attackers send, and what it does to everyone else, in one process. */
export class EventLoop {
  async forged(alg: Algorithm, { eventLoop: { rounds, seconds } }: Settings): Promise<ForgedResult> {
    await using authorities = await Authorities.start();
    const authority = await authorities.open(alg);
    const auth = await startResilientAuth([authority.trust]);
    const known = tokensOf(authority, KNOWN_TOKENS);
    const forged = tokensOf(forger(authority), 1000);
    await Promise.all(known.map((_, index) => auth.bind(known)(index)));
    const calm: number[] = [];
    const flooded: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      calm.push(await percentile99(auth, known, seconds));
      const flood = new Flood(auth, forged);
      flooded.push(await percentile99(auth, known, seconds));
      await flood.end();
    }
    return { alg, calm, flooded };
  }

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

/** Forged tokens at a steady rate, a few in each millisecond. */
class Flood {
  readonly #answers: Promise<unknown>[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #begun = performance.now();
  #sent = 0;

  constructor(auth: ResilientAuth, forged: readonly string[]) {
    const send = auth.bind(forged);
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#begun) / 1000) * FORGED_PER_SECOND;
      for (; this.#sent < due; this.#sent += 1) this.#answers.push(refused(send(this.#sent % forged.length)));
    }, 1);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#answers);
  }
}

/** @throws when the token was accepted */
async function refused(answer: unknown): Promise<void> {
  const isAccepted = await Promise.resolve(answer).then(
    () => true,
    () => false,
  );
  if (isAccepted) throw new Error('A forged token was accepted');
}

async function percentile99(auth: ResilientAuth, known: readonly string[], seconds: number): Promise<number> {
  const authenticate = auth.bind(known);
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  for (let due = performance.now() + 2; due < end; due += 2) {
    await wait(Math.max(0, due - performance.now()));
    await authenticate(times.length % known.length);
    times.push(performance.now() - due);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
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

function tokensOf({ trust: { alg, audience }, signers }: Authority, count: number): string[] {
  const order: TokenOrder = { alg, audience, signers, count };
  const signer = new TokenSigner(order);
  return Array.from({ length: count }, (_, index) => signer.sign(index));
}

/** The same issuer and kid, and a key that is not the issuer's. */
function forger(authority: Authority): Authority {
  const { privatePem } = makeKeyPair(authority.trust.alg, 'forged');
  return { ...authority, signers: authority.signers.map((signer) => ({ ...signer, privatePem })) };
}

function crowded(index: number): string {
  const members = Array.from({ length: 1500 }, (_, member) => [member.toString(36), index % 10]);
  return `${encode({ alg: 'ES256' })}.${encode(Object.fromEntries(members))}.AAAA`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

expose(new EventLoop());
