import { UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';

/** The guard of Nest's own documentation on authentication, around a function that verifies. */
export function verifyGuard(verify: (token: string) => Promise<unknown>): CanActivate {
  return {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context
        .switchToHttp()
        .getRequest<{ headers: { authorization?: string }; user?: unknown }>();
      const [scheme, token] = request.headers.authorization?.split(' ') ?? [];
      if (scheme !== 'Bearer' || !token) throw new UnauthorizedException();
      try {
        request.user = await verify(token);
      } catch (error) {
        throw new UnauthorizedException(undefined, { cause: error });
      }
      return true;
    },
  };
}
