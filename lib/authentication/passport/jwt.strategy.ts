import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-jwt';
import { asError } from '../../errors/as-error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { AuthError } from '../../errors/auth.error.js';
import type { AuthenticatedToken } from '../authenticated-token.js';
import { HttpCredentials } from '../http-credentials.js';
import {
  AUTHENTICATOR,
  isFault,
  STRATEGY_NAME,
  type RequestAuthenticator,
  type StrategyContext,
  type StrategyOptions,
} from './strategy-options.js';

/**
 * The passport strategy: no state of its own, since passport's registry is one for the whole process. No private
 * members either: passport works on an `Object.create` copy, which has none.
 */
export class ResilientJwtStrategy extends PassportStrategy(Strategy, STRATEGY_NAME) {
  private readonly context: StrategyContext;

  constructor(context: StrategyContext) {
    // passport-jwt insists on both; `authenticate` below uses neither.
    super({ jwtFromRequest: () => null, secretOrKeyProvider: (_request, _token, done) => done(null) });
    this.context = context;
  }

  // passport-jwt would verify with jsonwebtoken, which knows no EdDSA and no `crit`, and would call every outage a 401.
  override authenticate(request: object, options?: StrategyOptions): void {
    // An error thrown outside our own code, for example by the next strategy, is reported like any other fault.
    this.run(request, options?.[AUTHENTICATOR]).catch((error: unknown) => this.error(asError(error)));
  }

  /** Never called: it is passport-jwt's hook after its own verification. */
  validate(): never {
    throw new AuthConfigurationError(
      'ResilientJwtStrategy does not use validate; it is an option of the issuer',
    );
  }

  private async run(request: object, ours: RequestAuthenticator | undefined): Promise<void> {
    let token: AuthenticatedToken;
    try {
      token = await (ours ?? this.context.sole()).answerTo(request, new HttpCredentials(request));
    } catch (error) {
      this.refuse(asError(error), ours !== undefined);
      return;
    }
    this.success(token.user, token);
  }

  /** A bad token lets the next strategy try; what we could not check must not be called a bad token. */
  private refuse(error: Error, isOurs: boolean): void {
    const isRefusal = error instanceof AuthError && !isFault(error);
    if (isRefusal) this.fail(error, error.code === 'AUTH_REQUEST_INVALID' ? 400 : 401);
    else this.error(error instanceof AuthError && !isOurs ? this.context.toException(error) : error);
  }
}
