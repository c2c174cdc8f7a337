import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import type { Credentials } from '../authentication/credentials.js';
import {
  AUTHENTICATOR,
  isFault,
  STRATEGY_NAME,
  type StrategyOptions,
} from '../authentication/passport/strategy-options.js';
import { isRegistered } from '../authentication/passport/strategy-registry.js';
import { isThenable } from '../authentication/thenable.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { TokenMissingError } from '../errors/request.errors.js';
import { Clock } from '../time/clock.js';
import type { AuthContext } from './contexts/auth-context.js';
import { AuthContexts } from './contexts/auth-contexts.js';
import { attach } from './contexts/caller.js';
import { notReady, withoutModule } from './guard-errors.js';
import { isGuardedBy } from './guard-metadata.js';
import { hasAccepted, rememberAccepted } from './guard-memo.js';
import { assertRequirements } from './requirements/assert-requirements.js';
import { requirementsFor, type Requirements } from './requirements/requirements.js';

/**
 * Authenticates the bearer token of an operation (an HTTP request, or what another context has) and checks what
 * `@Authorized` requires. `@Authorized` applies it; extend it to change one of its steps, and apply yours with
 * `@UseGuards`.
 */
@Injectable()
export class AuthorizedGuard extends AuthGuard(STRATEGY_NAME) implements OnModuleInit {
  readonly #logger = new Logger(AuthorizedGuard.name);
  /** Whether passport would run with the options of this class: only then its answer is known in advance. */
  readonly #isPlain = this.getAuthenticateOptions === AuthorizedGuard.prototype.getAuthenticateOptions;
  /** Whether a refusal is thrown as it is. Then passport, which costs as much as the rest of the refusal, adds nothing. */
  readonly #throwsRefusals = this.handleRequest === AuthorizedGuard.prototype.handleRequest;
  /** Which guard accepts: of `AuthorizedGuard` itself each module has its own instance, and they all do the same. */
  readonly #identity: object;
  /** A repeated run is free of effects, but for policies and what a subclass does. */
  readonly #isRepeatable = this.constructor === AuthorizedGuard;

  /** Until then passport has no strategy, and no census was taken. */
  #isInitialized = false;

  constructor(
    // Optional, so that a unit test of a controller needs no AuthModule: an application without it does not start.
    @Optional() @Inject(Authenticator) protected readonly authenticator: Authenticator,
    @Optional() @Inject(AuthContexts) protected readonly contexts: AuthContexts,
    @Inject(ModuleRef) protected readonly moduleRef: ModuleRef,
    @Optional() @Inject(Clock) protected readonly clock: Clock,
  ) {
    super();
    this.#identity = this.#isRepeatable ? authenticator : this;
  }

  /** Called by Nest. @throws {AuthConfigurationError} when the module of the handler has no `Authenticator` */
  onModuleInit(): void {
    if (!isProvided(this.authenticator)) throw withoutModule();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirements = this.requirementsFor(context);
    if (requirements.isAnonymous) return true;
    // Writing on the context costs more than checking scopes again.
    const isOnce = !this.#isRepeatable || requirements.policies.length > 0;
    if (isOnce && hasAccepted(context, this.#identity)) return true;
    this.#isInitialized ||= isRegistered(this.authenticator);
    if (!this.#isInitialized) throw notReady(isProvided(this.authenticator));
    if (this.contexts.isIgnored(context) && !isExplicit(requirements, context)) {
      this.contexts.warnIgnored(context);
      return true;
    }
    const auth = this.contexts.of(context);
    try {
      // No `await` where there is nothing to wait for: it would be a large part of the cost of a known token.
      const authentication = this.authenticate(context);
      if (authentication) await authentication;
      const token = this.authenticator.tokenOf(auth.operationOf(context));
      const authorization = token
        ? this.authorize(requirements, token, context)
        : this.#withoutToken(requirements, context);
      if (authorization) await authorization;
      if (token && this.contexts.areCallsReported) this.#report(token, context);
      if (isOnce) rememberAccepted(context, this.#identity);
      return true;
    } catch (error) {
      if (requirements.isOptional && error instanceof TokenMissingError) {
        attach(auth, context, undefined, undefined);
        return true;
      }
      if (!(error instanceof AuthError)) throw await auth.toFault(error, context);
      this.contexts.countRefusal(error);
      throw await this.toException(error, context);
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

  /** Throws unless the token meets the requirements; at once when no policy has to be awaited. */
  protected authorize(
    { checks }: Requirements,
    token: AuthenticatedToken,
    context: ExecutionContext,
  ): void | Promise<void> {
    if (checks.length === 0) return undefined;
    const { moduleRef, clock, contexts } = this;
    const { impliedBy, clockTolerances } = contexts;
    const auth = contexts.of(context);
    return assertRequirements(checks, {
      token,
      context,
      auth,
      moduleRef,
      clock,
      impliedBy,
      clockTolerances,
    });
  }

  /** Turns an error of ours into the exception that the transport knows, and sets the headers that belong to it. */
  protected toException(error: AuthError, context: ExecutionContext): Error | Promise<never> {
    if (error instanceof AuthConfigurationError) this.#logger.error(error.message);
    else this.#logger.debug(`${error.code}: ${error.message}`);
    return this.contexts.toException(error, context, this.requirementsFor(context));
  }

  #report(token: AuthenticatedToken, context: ExecutionContext): void {
    const credentials = this.contexts.of(context).credentialsOf(context);
    const rawToken = this.authenticator.rawTokenIn(credentials);
    this.contexts.reportAccepted({ token, rawToken, context, credentials });
  }

  /** What passport does with an accepted token, without its machinery: docs/decisions/0012. */
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

  /**
   * Goes on without a token where a subclass has taken its refusal and thrown nothing, as for a route that anyone may
   * call. Only a refusal: a token that could not be checked is none, and neither is another strategy's user.
   */
  async #withoutToken(requirements: Requirements, context: ExecutionContext): Promise<void> {
    const auth = this.contexts.of(context);
    const refusal = await this.#refusalOf(auth.operationOf(context), auth.credentialsOf(context));
    const request: { authInfo?: unknown } = auth.type === 'http' ? this.getRequest(context) : {};
    // passport leaves the refusal of our strategy there, and nothing of a fault.
    const isTaken = refusal instanceof AuthError && request.authInfo === refusal;
    if (!isTaken || !this.#isOptional(requirements)) throw refusal;
    request.authInfo = undefined;
  }

  /** @throws {AuthConfigurationError} when nothing of ours was refused */
  async #refusalOf(operation: object, credentials: Credentials): Promise<unknown> {
    if (this.handleRequest !== AuthorizedGuard.prototype.handleRequest) {
      try {
        await this.authenticator.answerTo(operation, credentials);
      } catch (refusal) {
        return refusal;
      }
    }
    throw new AuthConfigurationError('The request was authenticated by another strategy than resilient-jwt');
  }

  #isOptional({ checks }: Requirements): boolean {
    return checks.length === 0 && this.authorize === AuthorizedGuard.prototype.authorize;
  }
}

/** Whether the handler itself requires authorization, and not only a global guard. */
function isExplicit({ isMarked }: Requirements, context: ExecutionContext): boolean {
  return isMarked || isGuardedBy(AuthorizedGuard, context.getHandler(), context.getClass());
}

function isProvided(dependency: unknown): boolean {
  return dependency !== undefined;
}
