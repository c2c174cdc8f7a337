import 'reflect-metadata';

/** What one class or method was decorated with. */
export interface Marks<Options> {
  isAnonymous: boolean;
  readonly authorized: Options[];
}

export type Class = abstract new (...args: never[]) => unknown;

/** The function that is called for a method: what `ExecutionContext.getHandler()` returns. */
export interface Handler {
  readonly name: string;
}

/** A method as its decorator gets it. */
export interface MethodTarget {
  readonly prototype: object;
  readonly name: string | symbol;
  readonly handler: Handler;
}

const MARKS = 'nestjs-resilient-auth:marks';

/**
 * Returns the marks of a class or method to add to. Those of a method are kept by its name, which stays when a wrapper
 * takes its place, and on the function as well, like Nest's own metadata: wrappers copy it, other classes take it over.
 */
export function marksFor<Options>(target: Class | MethodTarget): Marks<Options> {
  const [known] =
    typeof target === 'function'
      ? marksOn<Options>(target)
      : marksByName<Options>(target.prototype, target.name);
  if (known) return known;
  const marks: Marks<Options> = { isAnonymous: false, authorized: [] };
  if (typeof target === 'function') {
    Reflect.defineMetadata(MARKS, [marks], target);
    return marks;
  }
  const { prototype, name, handler } = target;
  Reflect.defineMetadata(MARKS, [marks], prototype, name);
  Reflect.defineMetadata(MARKS, [...marksOn(handler), marks], handler);
  return marks;
}

/** The marks on a class or function. */
export function marksOn<Options>(target: Handler): readonly Marks<Options>[] {
  return Reflect.getOwnMetadata(MARKS, target) ?? [];
}

/** The marks of a method by its name, on one prototype. */
export function marksByName<Options>(prototype: object, name: string | symbol): readonly Marks<Options>[] {
  return Reflect.getOwnMetadata(MARKS, prototype, name) ?? [];
}

/** Narrows to a function. */
export function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}

/** Narrows to a class. */
export function isClass(value: unknown): value is Class & { prototype: object } {
  return (
    isHandler(value) && 'prototype' in value && value.prototype !== undefined && value.prototype !== null
  );
}
