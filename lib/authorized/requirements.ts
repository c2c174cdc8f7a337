import 'reflect-metadata';
import type { Policy } from './authorization-policy.js';

/** What `@Authorized` asks for beyond a valid token. All of it must hold. */
export interface AuthorizedOptions {
  /** The token must carry all of these. */
  scopes?: readonly string[] | undefined;
  /** The token must carry at least one of these. */
  roles?: readonly string[] | undefined;
  /** Must say yes. */
  policy?: Policy | undefined;
  /** Only tokens of issuers with one of these names. */
  issuers?: readonly string[] | undefined;
}

/** What one class or method was decorated with. */
interface Marks {
  isAnonymous: boolean;
  readonly authorized: AuthorizedOptions[];
}

/** What holds for one handler, everything added up. */
export interface Requirements {
  readonly isAnonymous: boolean;
  readonly scopes: readonly string[];
  /** One entry per list: each of them must be met. */
  readonly roles: readonly (readonly string[])[];
  readonly issuers: readonly (readonly string[])[];
  readonly policies: readonly Policy[];
}

type Target = object;
type Class = abstract new (...args: never[]) => unknown;

/** Kept as metadata like Nest's own, so that decorators that wrap a method and copy its metadata take it along. */
const MARKS = 'nestjs-resilient-auth:marks';
const requirementsOf = new WeakMap<Class, Map<Target, Requirements>>();

/** Adds a requirement to a class or method. @throws {TypeError} when the target allows anonymous access */
export function requireAuthorization(target: Target, options: AuthorizedOptions): void {
  const marks = marksFor(target);
  if (marks.isAnonymous) throw conflict();
  marks.authorized.push(options);
}

/** Opens a class or method. @throws {TypeError} when the target requires authorization */
export function allowAnonymous(target: Target): void {
  const marks = marksFor(target);
  if (marks.authorized.length > 0) throw conflict();
  marks.isAnonymous = true;
}

/** What holds for a handler of a class; worked out once for each pair. */
export function requirementsFor(controller: Class, handler: Target): Requirements {
  const known = requirementsOf.get(controller)?.get(handler);
  if (known) return known;
  const requirements = addUp(controller, handler);
  const byHandler = requirementsOf.get(controller) ?? new Map<Target, Requirements>();
  requirementsOf.set(controller, byHandler.set(handler, requirements));
  return requirements;
}

/** The nearest mark decides between open and closed; once closed, every requirement on the way up counts. */
function addUp(controller: Class, handler: Target): Requirements {
  const marks = [...overridden(controller, handler), ...lineage(controller)].flatMap(
    (target) => marksOn(target) ?? [],
  );
  const authorized = marks.flatMap((mark) => mark.authorized);
  return {
    isAnonymous: marks.find((mark) => mark.isAnonymous || mark.authorized.length > 0)?.isAnonymous ?? false,
    scopes: [...new Set(authorized.flatMap(({ scopes }) => scopes ?? []))],
    roles: authorized.flatMap(({ roles }) => (roles ? [roles] : [])),
    issuers: authorized.flatMap(({ issuers }) => (issuers ? [issuers] : [])),
    policies: authorized.flatMap(({ policy }) => (policy ? [policy] : [])),
  };
}

/** A class and its base classes, nearest first. */
function lineage(controller: Class): readonly Target[] {
  const classes: Target[] = [];
  for (let target: unknown = controller; isClass(target); target = Object.getPrototypeOf(target))
    classes.push(target);
  return classes;
}

/** A handler and the methods of base classes it overrides, nearest first. */
function overridden(controller: Class, handler: Target): readonly Target[] {
  const prototypes = lineage(controller).flatMap((target) => (isClass(target) ? [target.prototype] : []));
  const descriptors = prototypes.map((prototype) => Object.getOwnPropertyDescriptors(prototype));
  const names = descriptors
    .flatMap(Object.entries)
    .flatMap(([name, { value }]) => (value === handler ? [name] : []));
  const named = descriptors.flatMap((own) => names.map((name) => own[name]?.value));
  return [...new Set([handler, ...named.filter((value) => typeof value === 'function')])];
}

function isClass(target: unknown): target is Class & { prototype: object } {
  return typeof target === 'function' && target.prototype !== undefined;
}

function marksOn(target: Target): Marks | undefined {
  return Reflect.getOwnMetadata(MARKS, target);
}

function marksFor(target: Target): Marks {
  const marks = marksOn(target) ?? { isAnonymous: false, authorized: [] };
  Reflect.defineMetadata(MARKS, marks, target);
  return marks;
}

function conflict(): TypeError {
  return new TypeError(
    '@Authorized and @AllowAnonymous stand on the same target; keep the one that is meant',
  );
}
