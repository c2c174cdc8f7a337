import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../support/free-port.js';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

const LOCAL = 'redis://127.0.0.1:6379';
const NONE =
  'There is no Redis: set REDIS_URL, or let one listen on 127.0.0.1:6379, or put redis-server on the PATH';

/** A redis-server that the bench may stop, pause and start again: on a free port of 127.0.0.1, keeping nothing on disk. */
export class OwnRedis implements AsyncDisposable {
  #server: ChildProcess | undefined;

  private constructor(private readonly port: number) {}

  /** @returns `undefined` where there is no redis-server on the PATH */
  static async start(): Promise<OwnRedis | undefined> {
    const redis = new OwnRedis(await freePort());
    return (await redis.start()) ? redis : undefined;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, again if need be, with nothing in it. */
  async start(): Promise<boolean> {
    const options = ['--save', '', '--appendonly', 'no', '--bind', '127.0.0.1', '--dir', '/tmp'];
    const server = spawn('redis-server', ['--port', String(this.port), ...options], { stdio: 'ignore' });
    this.#server = server;
    const isThere = await Promise.race([
      once(server, 'spawn').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (!isThere) return false;
    running.add(server);
    server.once('exit', () => running.delete(server));
    while (!(await answers(this.url))) await wait(20);
    return true;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (!server || !running.has(server)) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  pause(): void {
    this.#server?.kill('SIGSTOP');
  }

  continue(): void {
    this.#server?.kill('SIGCONT');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** A Redis to use. */
export interface FoundRedis {
  readonly url: string;
  /** Where it is, with no password in it. */
  readonly address: string;
  readonly end: () => Promise<void>;
}

/** The Redis of the fleet: the one named, the one on loopback, or one the bench starts. */
export async function findRedis(): Promise<FoundRedis> {
  const named = process.env['REDIS_URL'];
  if (named !== undefined && !(await answers(named)))
    throw new Error('The Redis at REDIS_URL does not answer');
  const url = named ?? ((await answers(LOCAL)) ? LOCAL : undefined);
  if (url !== undefined) return { url, address: new URL(url).host, end: () => Promise.resolve() };
  const own = await OwnRedis.start();
  if (!own) throw new Error(NONE);
  return { url: own.url, address: new URL(own.url).host, end: () => own.stop() };
}

async function answers(url: string): Promise<boolean> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
