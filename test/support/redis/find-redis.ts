import { afterAll } from 'vitest';
import { answersPing, canStartRedis, RedisServer } from './redis-server.js';

const LOCAL = 'redis://127.0.0.1:6379';

/**
 * The Redis to test against: `REDIS_URL`, else the one on 6379, else one started for this spec file. `undefined` where
 * there is none: the tests are skipped, and it is said; with `REDIS_REQUIRED` set they fail instead.
 */
export async function findRedis(): Promise<string | undefined> {
  const { REDIS_URL: given } = process.env;
  if (given) {
    if (await answersPing(given)) return given;
    throw new Error('REDIS_URL names a Redis that does not answer');
  }
  if (await answersPing(LOCAL)) return LOCAL;
  return redisToStart() ? startForThisFile() : undefined;
}

/** One that no other test uses, if it can be started: a monitor fails when others send commands while it starts. */
export async function findQuietRedis(): Promise<string | undefined> {
  return canStartRedis() ? startForThisFile() : findRedis();
}

async function startForThisFile(): Promise<string> {
  const server = await RedisServer.start();
  afterAll(() => server[Symbol.asyncDispose]());
  return server.url;
}

/** Whether tests can start a Redis of their own; if not, it is said, or fails, in the same way. */
export function redisToStart(): boolean {
  if (canStartRedis()) return true;
  const problem = 'There is no redis-server in PATH (Debian: apt-get install redis-server)';
  if (process.env['REDIS_REQUIRED']) throw new Error(problem);
  console.warn(`${problem}, and tests that need one are SKIPPED. REDIS_REQUIRED=1 makes them fail instead.`);
  return false;
}
