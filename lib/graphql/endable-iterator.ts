/** What a subscription of GraphQL runs as. */
type Values = AsyncGenerator<never, void>;

/**
 * Returns the values of a generator until it is ended from outside; then it completes, and so does the generator.
 *
 * @param start gets the function that ends it, and returns the function to call when it is over
 */
export function endable(source: Values, start: (end: () => void) => () => void): Values {
  /** Settles the call of `next` in progress: a promise shared by all calls would keep a trace of each. */
  let complete: (() => void) | undefined;
  let isEnded = false;
  const stop = start(() => {
    isEnded = true;
    complete?.();
    source.return().catch(() => undefined);
  });
  const done = { done: true, value: undefined } as const;
  const forward = async (resolve: (result: IteratorResult<never, void>) => void): Promise<void> => {
    let result: IteratorResult<never, void> = done;
    try {
      result = await source.next();
    } finally {
      // Also after an error: then `return` is not called.
      if (result.done) stop();
    }
    resolve(result);
  };
  const generator: Values = {
    next: () =>
      new Promise((resolve, reject) => {
        if (isEnded) return resolve(done);
        complete = () => resolve(done);
        void forward(resolve).catch(reject);
      }),
    return: () => {
      stop();
      return source.return();
    },
    throw: (error) => {
      stop();
      return source.throw(error);
    },
    [Symbol.asyncIterator]: () => generator,
    [Symbol.asyncDispose]: async () => {
      await generator.return();
    },
  };
  return generator;
}
