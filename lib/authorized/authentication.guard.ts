import type { ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import type { Authenticator } from '../authentication/authenticator.js';
import {
  AUTHENTICATOR,
  isFault,
  STRATEGY_NAME,
  type StrategyOptions,
} from '../authentication/passport/strategy-options.js';
import { isThenable } from '../authentication/thenable.js';
import { AuthError } from '../errors/auth.error.js';
import type { AuthContext } from './contexts/auth-context.js';
import type { AuthContexts } from './contexts/auth-contexts.js';
import { attach } from './contexts/caller.js';
import { assertTaken } from './taken-refusal.js';

/**
 * Authenticates operations, by the hooks of `@nestjs/passport` and, where passport would add nothing, without passport:
 * docs/decisions/0012. `AuthorizedGuard` is the one to extend.
 */
export abstract class AuthenticationGuard extends AuthGuard(STRATEGY_NAME) {
  protected abstract readonly authenticator: Authenticator;
  protected abstract readonly contexts: AuthContexts;

  /** Whether passport would run with the options of this class: only then its answer is known in advance. */
  readonly #isPlain = this.getAuthenticateOptions === AuthenticationGuard.prototype.getAuthenticateOptions;
  /** Whether a refusal is thrown as it is. Then passport, which costs as much as the rest of the refusal, adds nothing. */
  readonly #throwsRefusals = this.handleRequest === AuthenticationGuard.prototype.handleRequest;

  /**
   * Passport's hook: hands this module's own `Authenticator` to the strategy, which is shared by the whole process. What
   * an application set in PassportModule is for other guards: `@CurrentUser` reads `request.user`.
   */
  override getAuthenticateOptions(): StrategyOptions & { session: false; property: 'user' } {
    return { [AUTHENTICATOR]: this.authenticator, session: false, property: 'user' };
  }

  /** Passport's hook: a refusal arrives as `info`, a fault as `error`. */
  override handleRequest<TUser>(
    error: unknown,
    user: TUser | false,
    info: unknown,
    _context?: ExecutionContext,
  ): TUser {
    if (error) throw error;
    if (!user) throw info;
    return user;
  }

  /** Keeps user and token for the handler, or throws; at once when the token is known. */
  protected authenticate(context: ExecutionContext): void | Promise<void> {
    const auth = this.contexts.of(context);
    const isHttp = auth.type === 'http';
    if (isHttp && !this.#isPlain) return this.askPassport(context);
    const answer = this.authenticator.answerTo(auth.operationOf(context), auth.credentialsOf(context));
    if (!isThenable(answer)) return this.#attach(answer, auth, context);
    return answer.then(
      (token) => this.#attach(token, auth, context),
      (error: unknown) =>
        isHttp && !this.#throwsRefusals ? this.askPassport(context) : this.#refuse(error, context),
    );
  }

  /**
   * Goes on without a token where a subclass has taken the refusal: one that throws it never comes here.
   *
   * @internal
   */
  protected async goOnWithoutToken(context: ExecutionContext, isOptional: boolean): Promise<void> {
    const auth = this.contexts.of(context);
    const answer = this.#throwsRefusals
      ? undefined
      : this.authenticator.answerTo(auth.operationOf(context), auth.credentialsOf(context));
    await assertTaken(answer, auth.type === 'http' ? this.getRequest(context) : {}, isOptional);
  }

  /** What passport does with an accepted token, without its machinery. */
  #attach(token: AuthenticatedToken, auth: AuthContext, context: ExecutionContext): void | Promise<void> {
    const user: unknown = this.handleRequest(null, token.user, token, context);
    if (isThenable(user))
      return Promise.resolve(user).then((settled) => attach(auth, context, token, settled));
    attach(auth, context, token, user);
  }

  /** Without passport, which knows HTTP only: the hook may throw something else, and cannot make it pass. */
  #refuse(error: unknown, context: ExecutionContext): never {
    const isRefusal = error instanceof AuthError && !isFault(error);
    this.handleRequest(isRefusal ? null : error, false, isRefusal ? error : undefined, context);
    throw error;
  }

  /** passport reports refusals and faults, and everything when a subclass has options of its own. */
  // Not `#askPassport`: compiled for ES2021, as by Jest in older applications, a private name cannot use `super`.
  private async askPassport(context: ExecutionContext): Promise<void> {
    await super.canActivate(context);
  }
}
