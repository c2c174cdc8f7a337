import { Inject, Injectable, Logger, type ExecutionContext } from '@nestjs/common';
import { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import { AUTHENTICATOR, STRATEGY_NAME, type StrategyOptions } from '../authentication/strategy-options.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../authentication/resolved-options.js';
import { AccessDeniedError } from '../errors/access.errors.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { httpAnswer } from './http-answer.js';
import { isAllowedBy } from './policies.js';
import { requirementsFor, type Requirements } from './requirements.js';

/**
 * Which kinds of guard have let the call of a handler pass: on class, method and application at once, each works but
 * once. By context and not by request, which may go on to a handler or an application that asks for more.
 */
const passes = new WeakMap<ExecutionContext, Set<unknown>>();

/**
 * Authenticates the bearer token of an HTTP request and checks what `@Authorized` asks for. `@Authorized` applies it;
 * extend it to change one of its steps, and apply yours with `@UseGuards`.
 */
@Injectable()
export class AuthorizedGuard extends AuthGuard(STRATEGY_NAME) {
  readonly #logger = new Logger(AuthorizedGuard.name);

  constructor(
    @Inject(Authenticator) protected readonly authenticator: Authenticator,
    @Inject(RESOLVED_OPTIONS) protected readonly authOptions: ResolvedAuthOptions,
    @Inject(ModuleRef) protected readonly moduleRef: ModuleRef,
    @Inject(HttpAdapterHost) protected readonly adapterHost: HttpAdapterHost,
  ) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    // In other contexts "the request" may be a payload that the sender controls: refused until they are supported.
    if (context.getType() !== 'http') {
      throw new AuthConfigurationError(
        `AuthorizedGuard protects HTTP handlers, not ${context.getType()} ones`,
      );
    }
    const requirements = this.requirementsFor(context);
    if (requirements.isAnonymous || this.hasPassed(context)) return true;
    try {
      await this.authenticate(context);
      await this.authorize(requirements, this.tokenOf(context), context);
      this.remember(context);
      return true;
    } catch (error) {
      throw error instanceof AuthError ? this.toException(error, context) : error;
    }
  }

  /**
   * Passport's hook: hands this module's own `Authenticator` to the strategy, which is shared by the whole process. What
   * an application told PassportModule is for other guards: `@CurrentUser` reads `request.user`.
   */
  override getAuthenticateOptions(): StrategyOptions & { session: false; property: 'user' } {
    return { [AUTHENTICATOR]: this.authenticator, session: false, property: 'user' };
  }

  /** Passport's hook: a refusal arrives as `info`, a fault as `error`. */
  override handleRequest<TUser>(error: unknown, user: TUser | false, info: unknown): TUser {
    if (error) throw error;
    if (!user) throw info;
    return user;
  }

  /** What holds for the handler at hand. */
  protected requirementsFor(context: ExecutionContext): Requirements {
    return requirementsFor(context.getClass(), context.getHandler());
  }

  /** Sets `request.user`, or throws. */
  protected async authenticate(context: ExecutionContext): Promise<void> {
    await super.canActivate(context);
  }

  /** Throws unless the token meets the requirements. */
  protected async authorize(
    requirements: Requirements,
    token: AuthenticatedToken,
    context: ExecutionContext,
  ): Promise<void> {
    const { issuers, scopes, roles, policies } = requirements;
    if (!issuers.every((names) => names.includes(token.issuer))) {
      throw new AccessDeniedError('AUTH_POLICY_REFUSED', 'Tokens of this issuer are not let in here');
    }
    if (!scopes.every((scope) => token.scopes.includes(scope))) {
      throw new AccessDeniedError('AUTH_SCOPE_MISSING', 'The token lacks a required scope', scopes);
    }
    if (!roles.every((list) => list.some((role) => token.roles.includes(role)))) {
      throw new AccessDeniedError('AUTH_ROLE_MISSING', 'The token has none of the required roles');
    }
    for (const policy of policies) {
      if (!(await isAllowedBy(policy, token.user, context, this.moduleRef))) {
        throw new AccessDeniedError(
          'AUTH_POLICY_REFUSED',
          `The policy ${policy.name || '(anonymous)'} refused`,
        );
      }
    }
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

  private hasPassed(context: ExecutionContext): boolean {
    return passes.get(context)?.has(this.constructor) ?? false;
  }

  private remember(context: ExecutionContext): void {
    passes.set(context, (passes.get(context) ?? new Set()).add(this.constructor));
  }

  private tokenOf(context: ExecutionContext): AuthenticatedToken {
    const token = this.authenticator.tokenOf(this.getRequest(context));
    if (token) return token;
    throw new AuthConfigurationError('The request was authenticated by another strategy than resilient-jwt');
  }
}
