/**
 * Whether `await` would wait for a value: the query of many a database library is no `Promise`, and one behind a proxy
 * shows its `then` only to who reads it.
 */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const { then }: { then?: unknown } = value;
  return typeof then === 'function';
}

/** Goes on with a value: at once when it is there, and no sooner than it is. */
export function andThen<T, U>(value: T | Promise<T>, step: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(step) : step(value);
}
