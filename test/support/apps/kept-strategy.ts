import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { AuthGuard, PassportStrategy } from '@nestjs/passport';
import { Authenticator } from 'nestjs-resilient-auth';
import { ExtractJwt, Strategy } from 'passport-jwt';

/** A strategy of the application's own, as a careless user would write it: no algorithms, no issuer, no audience. */
@Injectable()
export class KeptStrategy extends PassportStrategy(Strategy, 'kept-jwt') {
  constructor(authenticator: Authenticator) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      secretOrKeyProvider: authenticator.secretOrKeyProvider,
    });
  }

  validate(claims: object): object {
    return claims;
  }
}

@UseGuards(AuthGuard('kept-jwt'))
@Controller('kept')
export class KeptController {
  @Get()
  get(): string {
    return 'ok';
  }
}
