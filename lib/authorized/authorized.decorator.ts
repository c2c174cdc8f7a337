import { UseGuards } from '@nestjs/common';
import { AuthorizedGuard } from './authorized.guard.js';
import { isClass, isHandler, type Class, type MethodTarget } from './marks/marks.js';
import { allowAnonymous, requireAuthorization, type AuthorizedOptions } from './requirements.js';

type ClassOrMethodDecorator = ClassDecorator & MethodDecorator;

const LISTS = ['scopes', 'roles', 'issuers'] as const;
/** RFC 6749 §3.3: what a token can hold as one scope, and a challenge can name (RFC 6750 §3). */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const NAMES: ReadonlySet<string> = new Set([...LISTS, 'policy']);

/**
 * Lets in requests with a valid token that meets the requirements. On a class it covers every handler; requirements of
 * the same target, the method, its class and base classes all add up.
 *
 * @throws {TypeError} at decoration, for an empty list, an unknown name, or `@AllowAnonymous` on the same target
 */
export function Authorized(options: AuthorizedOptions = {}): ClassOrMethodDecorator {
  assertOptions(options);
  const frozen = Object.freeze({ ...options });
  return decorate((target) => requireAuthorization(target, frozen), UseGuards(AuthorizedGuard));
}

/**
 * Lets in anyone, and attaches no user, whatever token came. The nearest decorator wins: on a method it opens a
 * protected class, on a class it opens an application that is `secureByDefault`.
 *
 * @throws {TypeError} at decoration, with `@Authorized` on the same target
 */
export function AllowAnonymous(): ClassOrMethodDecorator {
  return decorate(allowAnonymous);
}

function decorate(
  mark: (target: Class | MethodTarget) => void,
  guard?: ClassOrMethodDecorator,
): ClassOrMethodDecorator {
  // oxlint-disable-next-line typescript/no-explicit-any -- TypeScript's own type of a method decorator's descriptor
  return (target: object, key?: string | symbol, descriptor?: TypedPropertyDescriptor<any>): void => {
    const handler: unknown = descriptor?.value;
    if (descriptor && key !== undefined && isHandler(handler)) {
      mark({ prototype: target, name: key, handler });
      guard?.(target, key, descriptor);
    } else if (!descriptor && isClass(target)) {
      mark(target);
      guard?.(target);
    } else throw new TypeError('This decorator belongs on a controller or on one of its methods');
  };
}

function assertOptions(options: AuthorizedOptions): void {
  const unknown = Object.keys(options).find((name) => !NAMES.has(name));
  if (unknown !== undefined) throw new TypeError(`@Authorized knows no option ${unknown}`);
  for (const name of LISTS) {
    const list: unknown = options[name];
    const isFine = list === undefined || (Array.isArray(list) && list.length > 0 && list.every(isWord));
    if (!isFine)
      throw new TypeError(`@Authorized({ ${name} }) takes a list of at least one non-empty string`);
  }
  if (options.scopes?.some((scope) => !SCOPE.test(scope)))
    throw new TypeError(
      '@Authorized({ scopes }) takes one scope per string: no spaces, quotes or backslashes',
    );
  const policy: unknown = options.policy;
  if (policy !== undefined && typeof policy !== 'function') {
    throw new TypeError('@Authorized({ policy }) takes a function or an injectable class');
  }
}

/** One typing slip cannot go unseen. */
function isWord(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
