import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';

type Pipe = PipeTransform | Type<PipeTransform>;

/**
 * The user of the request, as `validate` returned it; with a name, that member of it: `@CurrentUser('sub')`.
 * `undefined` on an anonymous route.
 */
export const CurrentUser: (member?: string, ...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (member: string | undefined, context: ExecutionContext): unknown => {
    const { user }: { user?: unknown } = context.switchToHttp().getRequest();
    if (member === undefined) return user;
    return typeof user === 'object' && user !== null && Object.hasOwn(user, member)
      ? Reflect.get(user, member)
      : undefined;
  },
);

/** The whole `AuthenticatedToken`: claims, header, issuer, scopes, roles, user. `undefined` on an anonymous route. */
export const CurrentToken: (...pipes: Pipe[]) => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): unknown => {
    const { user, authInfo }: { user?: unknown; authInfo?: unknown } = context.switchToHttp().getRequest();
    return user === undefined ? undefined : authInfo;
  },
);
