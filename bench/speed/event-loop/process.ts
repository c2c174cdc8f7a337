import { generateKeyPairSync } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import { Authenticator, AuthModule, MetadataProvider } from 'nestjs-resilient-auth';
import { ExtractJwt } from 'passport-jwt';
import { expose } from '../../support/remote.js';
import { issuerOptions, startResilientAuth } from '../resilient-auth.js';
import type { Settings } from '../settings.js';
import { Authorities } from '../tokens/authority.js';
import type { Trust } from '../tokens/issuer-process.js';
import { forger, tokensOf } from './forgeries.js';
import { reportsTo } from './stored.js';

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
      for (let round = 0; round < rounds; round += 1)
        longest.push(await longestHold(() => sendAll(auth.bind(tokens), tokens.length)));
      results.push({ input, longest });
    }
    results.push(await holdOfHeaders(authority.trust, rounds));
    for (const [input, keySet] of Object.entries(hostileKeySets())) {
      const longest: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        await authorities.replaceKeySet(authority.trust.issuer, keySet(round));
        const provider = auth.app.get(MetadataProvider);
        longest.push(await longestHold(() => provider.refreshNow().catch(() => undefined)));
      }
      results.push({ input, longest });
    }
    results.push(await holdOfStored(authority.trust, rounds));
    return results;
  }
}

async function longestHold(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await wait(50);
  delay.reset();
  // The first look after a reset only takes the time: a hold before it would not be seen.
  await wait(10);
  await work();
  await wait(50);
  delay.disable();
  return delay.max / 1e6;
}

/** One in each callback, as requests come. */
async function sendAll(send: (index: number) => unknown, count: number): Promise<void> {
  const answers = Array.from(
    { length: count },
    (_, index) =>
      new Promise((resolve) =>
        setImmediate(() => resolve(Promise.resolve(send(index)).catch(() => undefined))),
      ),
  );
  await Promise.all(answers);
}

/** With an extractor of passport-jwt, whose expression takes time that grows with the square of such a header. */
async function holdOfHeaders(trust: Trust, rounds: number): Promise<HoldResult> {
  const jwtFromRequest = ExtractJwt.fromAuthHeaderAsBearerToken();
  const module = AuthModule.forRoot({ ...issuerOptions(trust), jwtFromRequest });
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  const authenticator = app.get(Authenticator);
  const authorization = 'a'.repeat(16_000);
  const http = { headers: { authorization }, rawHeaders: ['authorization', authorization] };
  const send = (): unknown => authenticator.answerTo({}, { authorization, request: http, http });
  const longest: number[] = [];
  for (let round = 0; round < rounds; round += 1) longest.push(await longestHold(() => sendAll(send, 100)));
  await app.close();
  return { input: '100 headers of 16,000 characters, with an extractor of passport-jwt', longest };
}

/** What the issuer has written, as another replica saved it. */
async function holdOfStored(trust: Trust, rounds: number): Promise<HoldResult> {
  const report = await reportsTo(trust);
  const keySet = hostileKeySets()[P521];
  const longest: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Clocks of replicas differ: a report counts as later after a second.
    await wait(1100);
    longest.push(await longestHold(() => report(keySet(round))));
  }
  return { input: `${P521}, from the store`, longest };
}

const P521 = 'a key set of 512 kB of P-521 keys';

/** Key sets of the size that is read at most, other ones in each round: a key that is known is not imported again. */
function hostileKeySets() {
  const points = Array.from({ length: 600 }, () =>
    generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey.export({ format: 'jwk' }),
  );
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  return {
    [P521]: (round: number) => {
      const keys = Array.from({ length: 2000 }, (_, index) => ({
        ...points[index % points.length],
        kid: `${round}-${index}`,
        alg: 'ES512',
      }));
      return JSON.stringify({ keys });
    },
    'a key set with an RSA exponent of 380 kB': (round: number) =>
      JSON.stringify({ keys: [{ ...rsa, kid: `${round}`, e: 'A'.repeat(380_000) }, points[0]] }),
  };
}

function crowded(index: number): string {
  const members = Array.from({ length: 1500 }, (_, member) => [member.toString(36), index % 10]);
  return `${encode({ alg: 'ES256' })}.${encode(Object.fromEntries(members))}.AAAA`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

expose(new EventLoop());
