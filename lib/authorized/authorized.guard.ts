import { Inject, Injectable, Logger, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import {
  AUTHENTICATOR,
  STRATEGY_NAME,
  type StrategyOptions,
} from '../authentication/passport/strategy-options.js';
import { isRegistered } from '../authentication/passport/strategy-registry.js';
import { isThenable } from '../authentication/thenable.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../options/resolved-options.js';
import { AccessDeniedError } from '../errors/access.errors.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { httpAnswer } from './http-answer.js';
import type { Policy } from './authorization-policy.js';
import { isAllowedBy } from './policies.js';
import { hasPassed, remember } from './guard-memo.js';
import { requirementsFor, type Requirements } from './requirements.js';

/**
 * Authenticates the bearer token of an HTTP request and checks what `@Authorized` asks for. `@Authorized` applies it;
 * extend it to change one of its steps, and apply yours with `@UseGuards`.
 */
@Injectable()
export class AuthorizedGuard extends AuthGuard(STRATEGY_NAME) {
  readonly #logger = new Logger(AuthorizedGuard.name);
  /** Whether passport is asked with our own options: only then is it known what it would answer. */
  readonly #isPlain = this.getAuthenticateOptions === AuthorizedGuard.prototype.getAuthenticateOptions;
  /** Who passes: of `AuthorizedGuard` itself, each module has an instance of its own, and they all do the same. */
  readonly #passer: object;

  /** Until then passport has no strategy, and no census was taken. */
  #isInitialized = false;

  constructor(
    @Inject(Authenticator) protected readonly authenticator: Authenticator,
    @Inject(RESOLVED_OPTIONS) protected readonly authOptions: ResolvedAuthOptions,
    @Inject(ModuleRef) protected readonly moduleRef: ModuleRef,
    @Inject(HttpAdapterHost) protected readonly adapterHost: HttpAdapterHost,
  ) {
    super();
    this.#passer = this.constructor === AuthorizedGuard ? authenticator : this;
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    // In other contexts "the request" may be a payload that the sender controls: refused until they are supported.
    if (context.getType() !== 'http') {
      throw new AuthConfigurationError(
        `AuthorizedGuard protects HTTP handlers, not ${context.getType()} ones`,
      );
    }
    const requirements = this.requirementsFor(context);
    if (requirements.isAnonymous || hasPassed(context, this.#passer)) return true;
    this.#isInitialized ||= isRegistered(this.authenticator);
    if (!this.#isInitialized) throw notInitialized();
    try {
      // No `await` where there is nothing to wait for: it would be a large part of the cost of a known token.
      const authentication = this.authenticate(context);
      if (authentication) await authentication;
      const token = this.authenticator.tokenOf(this.getRequest(context));
      const authorization = token
        ? this.authorize(requirements, token, context)
        : this.#withoutToken(requirements, context);
      if (authorization) await authorization;
      remember(context, this.#passer);
      return true;
    } catch (error) {
      throw error instanceof AuthError ? this.toException(error, context) : error;
    }
  }

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

  /** What holds for the current handler. */
  protected requirementsFor(context: ExecutionContext): Requirements {
    return requirementsFor(context.getClass(), context.getHandler());
  }

  /** Sets `request.user`, or throws; at once when the token is known. */
  protected authenticate(context: ExecutionContext): void | Promise<void> {
    if (!this.#isPlain) return this.askPassport(context);
    const request = this.getRequest(context);
    const answer = this.authenticator.answerTo(request);
    if (!isThenable(answer)) return this.#attach(answer, request, context);
    return answer.then(
      (token) => this.#attach(token, request, context),
      () => this.askPassport(context),
    );
  }

  /** Throws unless the token meets the requirements; at once when no policy has to be asked. */
  protected authorize(
    { issuers, scopes, roles, policies }: Requirements,
    token: AuthenticatedToken,
    context: ExecutionContext,
  ): void | Promise<void> {
    if (!issuers.every((names) => names.includes(token.issuer))) {
      throw new AccessDeniedError(
        'AUTH_POLICY_REFUSED',
        'Tokens of this issuer are not accepted on this route',
      );
    }
    if (!scopes.every((scope) => token.scopes.includes(scope))) {
      throw new AccessDeniedError('AUTH_SCOPE_MISSING', 'The token lacks a required scope', scopes);
    }
    if (!roles.every((list) => list.some((role) => token.roles.includes(role)))) {
      throw new AccessDeniedError('AUTH_ROLE_MISSING', 'The token has none of the required roles');
    }
    return policies.length > 0 ? this.#askPolicies(policies, token, context) : undefined;
  }

  /** Turns an error of ours into the exception to throw, and sets the headers that belong to it. */
  protected toException(error: AuthError, context: ExecutionContext): Error {
    const { exception, headers } = httpAnswer(error, this.authOptions.realm);
    const response: unknown = context.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(headers))
      this.adapterHost.httpAdapter.setHeader(response, name, value);
    if (error instanceof AuthConfigurationError) this.#logger.error(error.message);
    else this.#logger.debug(`${error.code}: ${error.message}`);
    return exception;
  }

  /** What passport does with an accepted token, without its machinery: docs/decisions/0012. */
  #attach(
    token: AuthenticatedToken,
    request: ReturnType<AuthorizedGuard['getRequest']>,
    context: ExecutionContext,
  ): void | Promise<void> {
    request.authInfo = token;
    const user: unknown = this.handleRequest(null, token.user, token, context);
    if (isThenable(user)) return Promise.resolve(user).then((settled) => void (request.user = settled));
    request.user = user;
  }

  /** passport reports refusals and faults, and everything when a subclass has options of its own. */
  // Not `#askPassport`: compiled for ES2021, as by Jest in older applications, a private name cannot use `super`.
  private async askPassport(context: ExecutionContext): Promise<void> {
    await super.canActivate(context);
  }

  async #askPolicies(
    policies: readonly Policy[],
    { user }: AuthenticatedToken,
    context: ExecutionContext,
  ): Promise<void> {
    for (const policy of policies) {
      if (!(await isAllowedBy(policy, user, context, this.moduleRef))) {
        const name = policy.name || '(anonymous)';
        throw new AccessDeniedError('AUTH_POLICY_REFUSED', `The policy ${name} refused`);
      }
    }
  }

  /**
   * Goes on without a token where a subclass has taken its refusal and thrown nothing, as for a route that anyone may
   * call. Only a refusal: a token that could not be checked is none, and neither is another strategy's user.
   */
  async #withoutToken(requirements: Requirements, context: ExecutionContext): Promise<void> {
    const request = this.getRequest(context);
    const refusal = await this.#refusalOf(request);
    // passport leaves the refusal of our strategy there, and nothing of a fault.
    const isTaken = refusal instanceof AuthError && request.authInfo === refusal;
    if (!isTaken || !this.#isOptional(requirements)) throw refusal;
    request.authInfo = undefined;
  }

  /** @throws {AuthConfigurationError} when nothing of ours was refused */
  async #refusalOf(request: object): Promise<unknown> {
    if (this.handleRequest !== AuthorizedGuard.prototype.handleRequest) {
      try {
        await this.authenticator.authenticateRequest(request);
      } catch (refusal) {
        return refusal;
      }
    }
    throw new AuthConfigurationError('The request was authenticated by another strategy than resilient-jwt');
  }

  #isOptional({ issuers, scopes, roles, policies }: Requirements): boolean {
    const isBare = [issuers, scopes, roles, policies].every((list) => list.length === 0);
    return isBare && this.authorize === AuthorizedGuard.prototype.authorize;
  }
}

function notInitialized(): AuthConfigurationError {
  return new AuthConfigurationError(
    'AuthorizedGuard was called before AuthModule was initialized: call `await app.init()` (in a unit test `await module.init()`) first. ' +
      'LazyModuleLoader initializes no module: import AuthModule in the root module',
  );
}
