import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../clock/until.js';

/** Free ports tried: in between, another process may take one. */
const PORT_ATTEMPTS = 5;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Whether there is a `redis-server` that can be started. */
export function canStartRedis(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** A Redis of a test's own, which may be killed, restarted and paused. It forgets everything when it ends. */
export class RedisServer implements AsyncDisposable {
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly directory: string,
    private readonly settings: readonly string[],
  ) {}

  /** @param settings as on the command line */
  static async start(...settings: readonly string[]): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'redis-'));
    for (let attempt = 1; ; attempt++) {
      const server = new RedisServer(await freePort(), directory, settings);
      try {
        await server.start();
        return server;
      } catch (error) {
        if (attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Another process may take the port before this one has it: then it ends at once, and the start is rejected. */
  async start(): Promise<void> {
    const place = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.directory];
    const child = spawn('redis-server', [...place, '--save', '', '--appendonly', 'no', ...this.settings], {
      stdio: 'ignore',
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    this.#process = child;
    await until(async () => !running.has(child) || (await answersPing(this.url)));
    if (!running.has(child))
      throw new Error(`redis-server ended, perhaps because port ${this.port} is taken`);
  }

  /** Ends it at once: connections are reset, then refused. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || !running.has(child)) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }

  /** Makes it hang: it takes connections and commands, and answers nothing. */
  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

export async function answersPing(url: string): Promise<boolean> {
  const options = { lazyConnect: true, connectTimeout: 1000, commandTimeout: 1000, retryStrategy: null };
  const client = new Redis(url, options);
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

/** With the port of a cluster's bus, 10,000 above it. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    server.close();
    await once(server, 'close');
    if (address !== null && typeof address === 'object' && address.port < 55_000) return address.port;
  }
}
