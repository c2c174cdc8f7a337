import { PassportStrategy } from '@nestjs/passport';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';

/** Marks the requests of the recipe in the provider's count. */
export const recipeCaller = 'passport-jwt + jwks-rsa';

export interface RecipeIssuer {
  readonly issuer: string;
  readonly audience: string;
}

/** passport-jwt with jwks-rsa, with the options that the documentation of jwks-rsa shows for it. */
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor({ issuer, audience }: RecipeIssuer) {
    super({
      secretOrKeyProvider: passportJwtSecret({
        cache: true,
        rateLimit: true,
        jwksRequestsPerMinute: 5,
        jwksUri: `${issuer}/jwks`,
        requestHeaders: { 'User-Agent': recipeCaller },
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
