import { UnauthorizedException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { ExtractJwt } from 'passport-jwt';

const bearer = ExtractJwt.fromAuthHeaderAsBearerToken();

/**
 * The guard a Nest developer writes around a function that verifies: what it throws becomes 401. It could distinguish an
 * unreachable provider from a bad token by the error's class; no README of the libraries does.
 */
export class VerifyGuard implements CanActivate {
  constructor(private readonly verify: (token: string) => Promise<unknown>) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const token = bearer(context.switchToHttp().getRequest());
    if (!token) throw new UnauthorizedException();
    try {
      await this.verify(token);
    } catch (error) {
      throw new UnauthorizedException(undefined, { cause: error });
    }
    return true;
  }
}
