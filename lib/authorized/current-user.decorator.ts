import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { tokenOf, userOf } from './contexts/caller.js';

/** A pipe, or its class. */
export type ParameterPipe = PipeTransform | Type<PipeTransform>;

/**
 * Reads a member of the user's own, or one that its class has as a getter (entities of Mongoose and Sequelize). Methods
 * and what every object inherits, such as `constructor` and `__proto__`, are no members of a user.
 */
function memberOf(user: unknown, member: string): unknown {
  if (typeof user !== 'object' || user === null) return undefined;
  if (Object.hasOwn(user, member)) return Reflect.get(user, member);
  for (let base = baseOf(user); base !== undefined; base = baseOf(base)) {
    const descriptor = Object.getOwnPropertyDescriptor(base, member);
    if (descriptor) return descriptor.get ? Reflect.get(user, member) : undefined;
  }
  return undefined;
}

/** The prototype of an object, but for the root of all objects, of any realm. */
function baseOf(target: object): object | undefined {
  const base: unknown = Object.getPrototypeOf(target);
  if (typeof base !== 'object' || base === null) return undefined;
  return Object.getPrototypeOf(base) === null ? undefined : base;
}

/**
 * The user of the operation, as `validate` returned it; with a name, that member of it: `@CurrentUser('sub')`, its own or a
 * getter of its class.
 * `undefined` in an anonymous handler.
 */
export const CurrentUser: (member?: string, ...pipes: ParameterPipe[]) => ParameterDecorator =
  createParamDecorator((member: string | undefined, context: ExecutionContext): unknown => {
    const user = userOf(context);
    return member === undefined ? user : memberOf(user, member);
  });

/** The whole `AuthenticatedToken`: claims, header, issuer, scopes, roles, user. `undefined` in an anonymous handler. */
export const CurrentToken: (...pipes: ParameterPipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => tokenOf(context),
);
