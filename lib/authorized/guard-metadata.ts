import 'reflect-metadata';

/** Where `@UseGuards` keeps its guards: part of what Nest's decorators write, and not exported since Nest 12. */
const GUARDS = '__guards__';
/** The same of `@UseInterceptors`. */
const INTERCEPTORS = '__interceptors__';

/** Whether `@UseGuards` applies a guard, or a subclass of it, to one of the targets. */
export function isGuardedBy(guard: Constructor, ...targets: readonly object[]): boolean {
  return appliedTo(targets, GUARDS).some((applied) => isKindOf(guard, applied));
}

/** Whether `@UseInterceptors` applies an interceptor, or a subclass of it, to one of the targets. */
export function isInterceptedBy(interceptor: Constructor, ...targets: readonly object[]): boolean {
  return appliedTo(targets, INTERCEPTORS).some((applied) => isKindOf(interceptor, applied));
}

function appliedTo(targets: readonly object[], key: string): readonly unknown[] {
  return targets.flatMap((target): readonly unknown[] => Reflect.getMetadata(key, target) ?? []);
}

/** Whether a guard or interceptor, given as a class or an instance, is of a kind or of a subclass of it. */
export function isKindOf(kind: Constructor, applied: unknown): boolean {
  return applied === kind || (typeof applied === 'function' ? applied.prototype : applied) instanceof kind;
}

type Constructor = abstract new (...args: never[]) => object;
