import { applyDecorators, UseGuards, UseInterceptors } from '@nestjs/common';
import { AuthorizedGuard } from './authorized.guard.js';
import { isClass, isHandler, type Class, type MethodTarget } from './marks/marks.js';
import { assertOptions, type AuthorizedOptions } from './requirements/authorized-options.js';
import { StreamExpiryInterceptor } from './stream-expiry.interceptor.js';
import { allowAnonymous, requireAuthorization } from './requirements/requirements.js';

/**
 * Requires a valid token that meets the requirements. On a class it covers every handler; requirements of the same
 * target, the method, its class and base classes all add up.
 *
 * @throws {TypeError} at decoration, for an empty list, an unknown name, or `@AllowAnonymous` on the same target
 */
export function Authorized(options: AuthorizedOptions = {}): ClassDecorator & MethodDecorator {
  assertOptions(options);
  const frozen = Object.freeze({ ...options });
  return decorate((target) => requireAuthorization(target, frozen), enforcementOf(frozen));
}

function enforcementOf({ onExpiry }: AuthorizedOptions): ClassDecorator & MethodDecorator {
  const guard = UseGuards(AuthorizedGuard);
  return onExpiry === 'end' ? applyDecorators(guard, UseInterceptors(StreamExpiryInterceptor)) : guard;
}

/**
 * Opens a handler in every context: no token is required, and none that is sent is read. The nearest decorator wins: on a
 * method it opens a protected class, on a class it opens an application that is `secureByDefault`.
 *
 * @throws {TypeError} at decoration, with `@Authorized` on the same target
 */
export function AllowAnonymous(): ClassDecorator & MethodDecorator {
  return decorate(allowAnonymous);
}

function decorate(
  mark: (target: Class | MethodTarget) => void,
  guard?: ClassDecorator & MethodDecorator,
): ClassDecorator & MethodDecorator {
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
