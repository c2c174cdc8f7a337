import {
  Controller,
  Get,
  Injectable,
  Module,
  Post,
  Scope,
  Inject,
  type ExecutionContext,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import {
  AllowAnonymous,
  Authorized,
  CurrentToken,
  CurrentUser,
  type AuthenticatedToken,
  type AuthorizationPolicy,
  type Claims,
} from 'nestjs-resilient-auth';

@Injectable()
class OwnsOrder implements AuthorizationPolicy<Claims> {
  authorize(user: Claims, context: ExecutionContext): boolean {
    const { params }: { params: { owner: string } } = context.switchToHttp().getRequest();
    return user.sub === params.owner;
  }
}

@Injectable({ scope: Scope.REQUEST })
class SameTenant implements AuthorizationPolicy<Claims> {
  constructor(@Inject(REQUEST) private readonly request: { headers: Record<string, string> }) {}

  authorize(user: Claims): boolean {
    return user['tenant'] === this.request.headers['x-tenant'];
  }
}

@Authorized()
@Controller('orders')
class OrdersController {
  @Get()
  list(@CurrentUser('sub') subject: string): { subject: string } {
    return { subject };
  }

  @Get('token')
  token(@CurrentToken() token: AuthenticatedToken, @CurrentUser() user: Claims): object {
    return {
      issuer: token.issuer,
      scopes: token.scopes,
      roles: token.roles,
      alg: token.header.alg,
      sub: user.sub,
    };
  }

  @Authorized({ scopes: ['orders:read', 'orders:write'] })
  @Post()
  create(): { created: true } {
    return { created: true };
  }

  @Authorized({ roles: ['admin', 'auditor'] })
  @Get('audit')
  audit(): { audited: true } {
    return { audited: true };
  }

  @Authorized({ policy: OwnsOrder })
  @Get('of/:owner')
  own(): { own: true } {
    return { own: true };
  }

  @Authorized({ policy: SameTenant })
  @Get('tenant')
  tenant(): { same: true } {
    return { same: true };
  }

  @Authorized({ policy: (user: Claims) => user.sub === 'alice' })
  @Get('alice')
  alice(): { alice: true } {
    return { alice: true };
  }

  @AllowAnonymous()
  @Get('open')
  open(@CurrentUser() user: unknown, @CurrentToken() token: unknown): { user: unknown; token: unknown } {
    return { user: user ?? null, token: token ?? null };
  }
}

@Module({ controllers: [OrdersController], providers: [OwnsOrder, SameTenant] })
export class OrdersModule {}
