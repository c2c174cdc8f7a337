import { Injectable, Module } from '@nestjs/common';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { createApp, GreetingModule, type StartService, type Trust } from './library.js';

/** The recipe of jwks-rsa's EXAMPLES.md for passport-jwt, as a strategy of `@nestjs/passport`. */
function strategyFor({ issuer, jwksUri, audience }: Trust) {
  @Injectable()
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri,
        }),
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        issuer,
        audience,
        algorithms: ['RS256'],
      });
    }

    validate(payload: unknown): unknown {
      return payload;
    }
  }
  return JwtStrategy;
}

export const start: StartService = async (trust) => {
  @Module({ imports: [PassportModule, GreetingModule], providers: [strategyFor(trust)] })
  class ProtectedModule {}
  const app = await createApp(ProtectedModule);
  const JwtGuard = AuthGuard('jwt');
  app.useGlobalGuards(new JwtGuard());
  return { app };
};
