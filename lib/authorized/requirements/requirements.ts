import { checksFor, type AuthorizedOptions } from './authorized-options.js';
import type { RequirementCheck } from './requirement-kind.js';
import type { Policy } from './authorization-policy.js';
import { ClassMarks, type HandlerMarks } from '../marks/class-marks.js';
import { marksFor, type Class, type Handler, type MethodTarget } from '../marks/marks.js';

/** What holds for one handler, everything added up. */
export interface Requirements {
  readonly isAnonymous: boolean;
  /** Whether `@Authorized` stands on the handler, its class or a base class. */
  readonly isMarked: boolean;
  /** Whether a request without credentials goes on without a user. */
  readonly isOptional: boolean;
  /** All scopes that the handler requires. */
  readonly scopes: readonly string[];
  /** In the order in which they are checked; none means that any valid token will do. */
  readonly checks: readonly RequirementCheck[];
  /** Those of the application's own among the checks: they run once per call, however many guards there are. */
  readonly policies: readonly Policy[];
}

interface KnownClass {
  readonly marks: ClassMarks<AuthorizedOptions>;
  /** Weakly: a request-scoped controller may have functions of its own for each request. */
  readonly requirements: WeakMap<Handler, Requirements>;
}

const knownClasses = new WeakMap<Class, KnownClass>();

/** Adds a requirement to a class or method. @throws {TypeError} when the target allows anonymous access */
export function requireAuthorization(target: Class | MethodTarget, options: AuthorizedOptions): void {
  const marks = marksFor<AuthorizedOptions>(target);
  if (marks.isAnonymous) throw conflict();
  marks.authorized.push(options);
}

/** Opens a class or method. @throws {TypeError} when the target requires authorization */
export function allowAnonymous(target: Class | MethodTarget): void {
  const marks = marksFor<AuthorizedOptions>(target);
  if (marks.authorized.length > 0) throw conflict();
  marks.isAnonymous = true;
}

/**
 * What holds for a handler of a class; worked out once for each pair.
 *
 * @throws {AuthConfigurationError} when the handler took the place of a method that cannot be known
 */
export function requirementsFor(controller: Class, handler: Handler): Requirements {
  const { marks, requirements } = knownClass(controller);
  const known = requirements.get(handler);
  if (known) return known;
  const added = addUp(marks.of(handler));
  requirements.set(handler, added);
  return added;
}

/** Whether a handler has the same decorators when it is called for either of two classes. */
export function areDecoratedAlike(one: Class, other: Class, handler: Handler): boolean {
  try {
    const [marks, others] = [one, other].map((controller) => knownClass(controller).marks.of(handler));
    if (!marks || !others || marks.isAnonymous !== others.isAnonymous) return false;
    const all = new Set([...marks.authorized, ...others.authorized]);
    return all.size === marks.authorized.length && all.size === others.authorized.length;
  } catch {
    // It stands for a method of one of them only.
    return false;
  }
}

/** Whether `onExpiry: 'end'` holds for a handler of a class. */
export function endsOnExpiry(controller: Class, handler: Handler): boolean {
  const { isAnonymous, authorized } = knownClass(controller).marks.of(handler);
  return !isAnonymous && authorized.some(({ onExpiry }) => onExpiry === 'end');
}

/** Makes the methods of a class recognizable in the wrappers that instrumentation puts around them at boot. */
export function nameMethods(controller: Class): void {
  // Not remembered yet: modules may still decorate it.
  const marks = new ClassMarks<AuthorizedOptions>(controller);
  if (marks.areOnMethods) marks.nameMethods();
}

function knownClass(controller: Class): KnownClass {
  const known = knownClasses.get(controller);
  if (known) return known;
  const added = { marks: new ClassMarks<AuthorizedOptions>(controller), requirements: new WeakMap() };
  knownClasses.set(controller, added);
  return added;
}

function addUp({ isAnonymous, authorized }: HandlerMarks<AuthorizedOptions>): Requirements {
  return {
    isAnonymous,
    isMarked: authorized.length > 0,
    isOptional: isOptional(authorized),
    scopes: [...new Set(authorized.flatMap(({ scopes }) => scopes ?? []))],
    checks: checksFor(authorized),
    policies: authorized.flatMap(({ policy }) => policy ?? []),
  };
}

/** All requirements add up: one `@Authorized` that is not optional requires a token. */
function isOptional(authorized: readonly AuthorizedOptions[]): boolean {
  return authorized.length > 0 && authorized.every(({ optional }) => optional === true);
}

function conflict(): TypeError {
  return new TypeError(
    '@Authorized and @AllowAnonymous stand on the same target; keep the one that is meant',
  );
}
