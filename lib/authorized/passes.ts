import type { ExecutionContext } from '@nestjs/common';

const PASSED = Symbol('nestjs-resilient-auth:passed');

type Marked = ExecutionContext & { [PASSED]?: unknown[] };

/**
 * Whether a kind of guard has let the call of a handler pass: on class, method and application at once, each works but
 * once. By context and not by request, which may go on to a handler or an application that asks for more.
 */
export function hasPassed(context: Marked, guard: unknown): boolean {
  return Object.hasOwn(context, PASSED) && context[PASSED]?.includes(guard) === true;
}

/** Written on the context itself: as keys of a WeakMap, contexts cost more than everything else about a known token. */
export function remember(context: Marked, guard: unknown): void {
  if (Object.hasOwn(context, PASSED)) context[PASSED]?.push(guard);
  else context[PASSED] = [guard];
}
