import type { ExecutionContext } from '@nestjs/common';

class Given {
  constructor(context: object) {
    // oxlint-disable-next-line no-constructor-return -- it is what lets a subclass put its private member there
    return context;
  }
}

/**
 * The guards that have let the call of a handler pass, as a private member of its context: as keys of a WeakMap, contexts
 * cost more than everything else about a known token, and any other member would be carried along by copies, heirs and
 * proxies, which may name another handler.
 */
class Passes extends Given {
  readonly #guards: unknown[] = [];

  static has(context: object, guard: unknown): boolean {
    return #guards in context && context.#guards.includes(guard);
  }

  static add(context: object, guard: unknown): void {
    const passes = #guards in context ? context : new Passes(context);
    passes.#guards.push(guard);
  }
}

/**
 * Whether a guard has let the call of a handler pass: on class, method and application at once, it works but once. By
 * context and not by request, which may go on to a handler or an application that asks for more.
 */
export function hasPassed(context: ExecutionContext, guard: object): boolean {
  return Passes.has(context, guard);
}

/** Lets a guard that has let a call pass be recognized. */
export function remember(context: ExecutionContext, guard: object): void {
  Passes.add(context, guard);
}
