/**
 * Creates an error without a stack trace. A trace costs more than the rest of a refusal, work that anyone can cause, and
 * says nothing that the fixed message does not (docs/decisions/0029).
 */
export function withoutStackTrace<Created>(create: () => Created): Created {
  const limit = limitStackTraces(0);
  try {
    return create();
  } finally {
    limitStackTraces(limit);
  }
}

/** Returns the limit that held before. */
export function limitStackTraces(limit: number): number {
  const { stackTraceLimit } = Error;
  // Not an assignment, which throws where the application has frozen the intrinsics: traces are kept there.
  Reflect.set(Error, 'stackTraceLimit', limit);
  return stackTraceLimit;
}

/** What an operator needs to find the mistake, as the `cause` of a refusal: quoted values, which this library never logs. */
export function explanation(text: string): Error {
  return withoutStackTrace(() => new Error(text));
}
