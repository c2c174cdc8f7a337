/** Returns an error for anything that may be thrown, values that cannot be made into text included. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
  return new Error(typeof thrown === 'string' ? thrown : 'Something was thrown that is no error', {
    cause: thrown,
  });
}
