import 'reflect-metadata';

/** Where `@UseGuards` keeps its guards: part of what Nest's decorators write, and not exported since Nest 12. */
const GUARDS = '__guards__';

/** Whether `@UseGuards` applies a guard, or a subclass of it, to one of the targets. */
export function isGuardedBy(guard: Constructor, ...targets: readonly object[]): boolean {
  return targets
    .flatMap((target): readonly unknown[] => Reflect.getMetadata(GUARDS, target) ?? [])
    .some((applied) => isKindOf(guard, applied));
}

/** Whether a guard, given as a class or an instance, is of a kind or of a subclass of it. */
export function isKindOf(guard: Constructor, applied: unknown): boolean {
  return applied === guard || (typeof applied === 'function' ? applied.prototype : applied) instanceof guard;
}

type Constructor = abstract new (...args: never[]) => object;
