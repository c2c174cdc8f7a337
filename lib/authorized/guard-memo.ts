import type { ExecutionContext } from '@nestjs/common';

/** On the context of a call: the guards that have accepted it, and what call that was. */
const ACCEPTED = Symbol('nestjs-resilient-auth:accepted');

interface Accepted {
  readonly controller: unknown;
  readonly handler: unknown;
  readonly args: unknown;
  readonly guards: object[];
}

type MarkedContext = ExecutionContext & { [ACCEPTED]?: Accepted };

/**
 * Whether a guard has accepted the call of a handler: on class, method and application at once, it works but once. By
 * context and not by request, which may go on to a handler or an application that requires more; a copy of the context
 * that names another handler, class or arguments does not count.
 */
export function hasAccepted(context: MarkedContext, guard: object): boolean {
  return acceptedOn(context)?.guards.includes(guard) ?? false;
}

/** Remembers that a guard has accepted the call. */
export function rememberAccepted(context: MarkedContext, guard: object): void {
  const accepted = acceptedOn(context);
  if (accepted) accepted.guards.push(guard);
  else
    context[ACCEPTED] = {
      controller: context.getClass(),
      handler: context.getHandler(),
      args: context.getArgs(),
      guards: [guard],
    };
}

function acceptedOn(context: MarkedContext): Accepted | undefined {
  const accepted = context[ACCEPTED];
  const isThisCall =
    accepted !== undefined &&
    accepted.handler === context.getHandler() &&
    accepted.controller === context.getClass() &&
    accepted.args === context.getArgs();
  return isThisCall ? accepted : undefined;
}
