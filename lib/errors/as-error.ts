/** Anything may be thrown, even what cannot be made into text; what comes back can be told and logged. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error && typeof thrown.message === 'string') return thrown;
  return new Error(typeof thrown === 'string' ? thrown : 'Something was thrown that is no error', {
    cause: thrown,
  });
}
