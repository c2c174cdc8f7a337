import { AuthConfigurationError } from '../errors/configuration.error.js';

/**
 * Whether `await` would wait for a value: the query of many a database library is no `Promise`, and one behind a proxy
 * shows its `then` only to who reads it.
 */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { then }: { then?: unknown } = value;
  return typeof then === 'function';
}

/**
 * Refuses a promise where an answer has to be there at once.
 *
 * @throws {AuthConfigurationError}
 */
export function assertNotAwaited(value: unknown, option: string): void {
  if (!isThenable(value)) return;
  // Its result is not used, and a rejection must not end the process. A query that is not awaited must not run.
  if (value instanceof Promise) value.catch(() => undefined);
  throw new AuthConfigurationError(`${option} returned a promise; it has to answer at once`);
}
