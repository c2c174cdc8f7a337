import type { ChildProcess } from 'node:child_process';

/** The methods of a `T` in another process: every answer comes as a promise. */
export type Remote<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer A
  ) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** In the child: answers calls with the methods of `target`, and ends with the parent. */
export function expose(target: object): void {
  process.on('message', (call: Call) => void answer(target, call));
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}

async function answer(target: object, { id, method, args }: Call): Promise<void> {
  try {
    const implementation: unknown = Reflect.get(target, method);
    if (typeof implementation !== 'function') throw new Error(`There is no method "${method}"`);
    process.send?.({ id, value: await implementation.apply(target, args) } satisfies Answer);
  } catch (error) {
    process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

/** In the parent: the other end of {@link expose}. Calls to a child that has ended, or ends meanwhile, reject. */
export function remote<T extends object>(child: ChildProcess): Remote<T>;
export function remote(child: ChildProcess): object {
  const waiting = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  child.on('message', (answer: Answer) => waiting.get(answer.id)?.(answer));
  child.once('exit', () => {
    for (const [id, settle] of waiting) settle({ id, error: 'The process has ended' });
  });

  const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      calls += 1;
      const id = calls;
      waiting.set(id, ({ value, error }) => {
        waiting.delete(id);
        if (error === undefined) resolve(value);
        else reject(new Error(error));
      });
      if (!child.connected) waiting.get(id)?.({ id, error: 'The process has ended' });
      else child.send({ id, method, args } satisfies Call);
    });

  // Every property is a method, except `then`: awaiting the stub would otherwise call the child.
  const method = (_: unknown, name: string | symbol): unknown =>
    typeof name === 'string' && name !== 'then' ? (...args: unknown[]) => call(name, args) : undefined;
  return new Proxy({}, { get: method });
}
