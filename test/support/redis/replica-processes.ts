import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { onTestFinished } from 'vitest';
import type { ReplicaNews, ReplicaSettings } from './replica.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const path = (file: string): string => join(root, file);

/** The program of a replica, made out of the sources; Vitest's own view of them ends with its process. */
export class ReplicaProgram implements AsyncDisposable {
  private constructor(private readonly directory: string) {}

  static async make(): Promise<ReplicaProgram> {
    // Inside the tree, so that the process finds the packages.
    const directory = await mkdtemp(path('node_modules/.redis-'));
    await build({
      root,
      configFile: false,
      logLevel: 'silent',
      resolve: {
        alias: [
          { find: /^nestjs-resilient-auth$/, replacement: path('lib/index.ts') },
          { find: /^nestjs-resilient-auth\/redis$/, replacement: path('lib/redis/index.ts') },
        ],
      },
      build: {
        ssr: path('test/support/redis/replica.ts'),
        outDir: directory,
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: 'replica.mjs' } },
      },
      ssr: { target: 'node' },
    });
    return new ReplicaProgram(directory);
  }

  /** @returns when it serves requests; it ends with the test */
  async start(settings: ReplicaSettings): Promise<ReplicaProcess> {
    const child = fork(join(this.directory, 'replica.mjs'), [JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    const replica = new ReplicaProcess(child);
    onTestFinished(() => replica.kill());
    return replica.ready();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}

/** A replica in a process of its own. */
export class ReplicaProcess {
  readonly #events: string[] = [];
  readonly #exit: Promise<unknown>;
  #url: string | undefined;
  #said = '';

  constructor(private readonly child: ChildProcess) {
    this.#exit = once(child, 'exit');
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said += text));
    child.on('message', (news: ReplicaNews) => {
      if ('event' in news) this.#events.push(news.event);
      else this.#url = news.listening;
    });
  }

  async ready(): Promise<this> {
    while (this.#url === undefined) {
      await Promise.race([once(this.child, 'message'), this.#exit]);
      if (this.child.exitCode !== null) throw new Error(`It did not start: ${this.#said}`);
    }
    return this;
  }

  /** How often this has happened. */
  emitted(event: string): number {
    return this.#events.filter((type) => type === event).length;
  }

  /** The status of an answer to a request with this token. */
  async get(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${this.#url}/orders`, { headers });
    await response.arrayBuffer();
    return response.status;
  }

  /** Ends it as a crash does: without a word to the others. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exit;
  }
}
