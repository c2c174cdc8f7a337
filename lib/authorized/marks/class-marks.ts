import 'reflect-metadata';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { isClass, isHandler, marksByName, marksOn, type Class, type Handler, type Marks } from './marks.js';

/** The marks of the methods of one name along a class and its base classes. */
interface MethodMarks<Options> {
  /** Of the method that is called. */
  readonly own: readonly Marks<Options>[];
  /** Of the methods it overrides. */
  readonly overridden: readonly Marks<Options>[];
}

/** What holds for a method, class and base classes included. */
export interface HandlerMarks<Options> {
  readonly isAnonymous: boolean;
  readonly authorized: readonly Options[];
}

/** Written on the functions of a class at boot: what wraps them later copies it, and so can still be recognized. */
const METHOD_NAMES = 'nestjs-resilient-auth:method-names';

/** All marks along a class and its base classes, read once: nothing is decorated once an application runs. */
export class ClassMarks<Options> {
  /** Of the class, then of its base classes. */
  readonly classes: readonly Marks<Options>[];
  readonly #methods = new Map<string, MethodMarks<Options>>();
  readonly #namesOf = new Map<unknown, readonly string[]>();
  /** A function that a proxy of the instance has put in the place of its class: nothing is known of it. */
  readonly #isBare: boolean;

  constructor(controller: Class) {
    const lineage = lineageOf(controller);
    this.classes = lineage.flatMap((target) => marksOn<Options>(target));
    for (const prototype of new Set(lineage.map((target) => target.prototype))) {
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        if (name === 'constructor' || !isHandler(value)) continue;
        const marks = [...marksByName<Options>(prototype, name), ...marksOn<Options>(value)];
        const nearer = this.#methods.get(name);
        this.#methods.set(name, nearer ? override(nearer, marks) : { own: marks, overridden: [] });
        this.#namesOf.set(value, [...(this.#namesOf.get(value) ?? []), name]);
      }
    }
    const hasMetadata = lineage.some((target) => Reflect.getOwnMetadataKeys(target).length > 0);
    this.#isBare = this.#methods.size === 0 && !hasMetadata && !isWrittenAsClass(controller);
  }

  /** Whether any method carries marks, so that it matters which one is called. */
  get areOnMethods(): boolean {
    return [...this.#methods.values()].some(({ own, overridden }) => own.length + overridden.length > 0);
  }

  /**
   * What holds for a method, by the function that is called for it.
   *
   * @throws {AuthConfigurationError} when the function is none of the class, nothing says which one it stands for, and
   * that matters; or when the class is none
   */
  of(handler: Handler): HandlerMarks<Options> {
    if (this.#isBare) throw unknownClass();
    const onFunction = marksOn<Options>(handler);
    const names = this.#namesOfHandler(handler);
    if (names.length === 0 && (this.areOnMethods || onFunction.length > 0)) throw unknownMethod(handler.name);
    const methods = names.flatMap((name) => this.#methods.get(name) ?? []);
    const owns = methods.map(({ own }) => [...onFunction, ...own]);
    const overridden = methods.flatMap((method) => method.overridden);
    const all = new Set([...owns.flat(), ...overridden, ...this.classes]);
    return {
      isAnonymous: isOpen(owns, overridden, this.classes),
      authorized: [...all].flatMap(({ authorized }) => authorized),
    };
  }

  /** Writes its names on each function, for the wrappers that may take its place later. */
  nameMethods(): void {
    for (const [handler, names] of this.#namesOf) {
      if (isHandler(handler))
        Reflect.defineMetadata(METHOD_NAMES, [...new Set([...namesOn(handler), ...names])], handler);
    }
  }

  #namesOfHandler(handler: Handler): readonly string[] {
    const known = this.#namesOf.get(handler) ?? namesOn(handler).filter((name) => this.#methods.has(name));
    if (known.length > 0) return known;
    // `this.list = this.list.bind(this)` copies no metadata; the engine names the result (ECMA-262 §20.2.3.2).
    const bound = /^bound (.+)$/.exec(handler.name)?.[1];
    return bound !== undefined && this.#methods.has(bound) ? [bound] : [];
  }
}

/** The nearest mark decides. Of an overridden method only the one that closes counts: its code is not what runs. */
function isOpen(
  owns: readonly (readonly Marks<unknown>[])[],
  overridden: readonly Marks<unknown>[],
  classes: readonly Marks<unknown>[],
): boolean {
  if ([...owns.flat(), ...overridden].some(isClosing) && !owns.every(opens)) return false;
  if (owns.length > 0 && owns.every(opens)) return true;
  return classes.find((marks) => marks.isAnonymous || isClosing(marks))?.isAnonymous ?? false;
}

/** Whether the marks of one method open it. */
function opens(own: readonly Marks<unknown>[]): boolean {
  return own.some(({ isAnonymous }) => isAnonymous) && !own.some(isClosing);
}

function isClosing({ authorized }: Marks<unknown>): boolean {
  return authorized.length > 0;
}

function unknownMethod(name: string): AuthConfigurationError {
  return new AuthConfigurationError(
    `Which method the handler ${name || '(anonymous)'} stands for cannot be known: it took a method's place and carries no metadata of it. ` +
      'Let the wrapper copy the metadata of the function it wraps, or put @Authorized on the class',
  );
}

function unknownClass(): AuthConfigurationError {
  return new AuthConfigurationError(
    'Which class a handler belongs to cannot be known: the constructor of its instance is a function that is no class. ' +
      'Let the proxy of the instance hand out `constructor` as it is',
  );
}

function override<Options>(
  { own, overridden }: MethodMarks<Options>,
  marks: readonly Marks<Options>[],
): MethodMarks<Options> {
  return { own, overridden: [...overridden, ...marks] };
}

/** The prototype of a class can be replaced by nothing, that of a function can. */
function isWrittenAsClass(target: Class): boolean {
  return Object.getOwnPropertyDescriptor(target, 'prototype')?.writable === false;
}

function namesOn(handler: Handler): readonly string[] {
  return Reflect.getOwnMetadata(METHOD_NAMES, handler) ?? [];
}

/**
 * A class and its base classes, nearest first. Where a decorator has replaced one by a function or a proxy, its prototype
 * still names the class that was written.
 */
function lineageOf(controller: Class): readonly (Class & { prototype: object })[] {
  const classes = new Set<Class & { prototype: object }>();
  for (let target: unknown = controller; isClass(target); target = Object.getPrototypeOf(target)) {
    classes.add(target);
    const { constructor: written } = target.prototype;
    if (isClass(written)) classes.add(written);
  }
  return [...classes];
}
