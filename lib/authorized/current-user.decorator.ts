import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { tokenOf, userOf } from './contexts/caller.js';

type Pipe = PipeTransform | Type<PipeTransform>;

/**
 * The user of the operation, as `validate` returned it; with a name, that member of it: `@CurrentUser('sub')`.
 * `undefined` in an anonymous handler.
 */
export const CurrentUser: (member?: string, ...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (member: string | undefined, context: ExecutionContext): unknown => {
    const user = userOf(context);
    if (member === undefined) return user;
    return typeof user === 'object' && user !== null && Object.hasOwn(user, member)
      ? Reflect.get(user, member)
      : undefined;
  },
);

/** The whole `AuthenticatedToken`: claims, header, issuer, scopes, roles, user. `undefined` in an anonymous handler. */
export const CurrentToken: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => tokenOf(context),
);
