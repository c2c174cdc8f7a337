import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const PRELOADED = ['--import', new URL('steady-ticks.js', import.meta.url).href];

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A process of ours, ended by its own id, at the latest when this one ends. */
export class Child implements AsyncDisposable {
  private constructor(readonly process: ChildProcess) {}

  /**
   * Starts a module in a process of its own.
   *
   * @param flags for Node
   * @returns when it has called `expose`
   */
  static async start(
    module: URL,
    args: readonly string[] = [],
    flags: readonly string[] = process.execArgv,
  ): Promise<Child> {
    const child = fork(module, args, {
      execArgv: [...PRELOADED, ...flags],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    // Printed only when a process fails to start; log output of the libraries is dropped.
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`${module.pathname} ended before it was ready: ${said}`);
    });
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new Child(child);
  }

  get isRunning(): boolean {
    return running.has(this.process);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  async end(): Promise<void> {
    if (!this.isRunning) return;
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
  }
}
