import 'reflect-metadata';
import type { ExecutionContext, Type } from '@nestjs/common';

/** Where `@UseGuards` keeps its guards: part of what Nest's decorators write, and not exported since Nest 12. */
const GUARDS = '__guards__';

/** Whether `@UseGuards` applies a guard, or a subclass of it, to the handler of a call or to its class. */
export function isGuardedBy(guard: Type, context: ExecutionContext): boolean {
  return [context.getHandler(), context.getClass()]
    .flatMap((target): readonly unknown[] => Reflect.getMetadata(GUARDS, target) ?? [])
    .some((applied) => isKindOf(guard, applied));
}

function isKindOf(guard: Type, applied: unknown): boolean {
  return applied === guard || (typeof applied === 'function' ? applied.prototype : applied) instanceof guard;
}
