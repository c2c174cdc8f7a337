import {
  Inject,
  Injectable,
  Logger,
  Optional,
  type ExecutionContext,
  type OnModuleInit,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import { isRegistered } from '../authentication/passport/strategy-registry.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { oneLine } from '../errors/one-line.js';
import { TokenMissingError } from '../errors/request.errors.js';
import { Clock } from '../time/clock.js';
import { AuthenticationGuard } from './authentication.guard.js';
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
export class AuthorizedGuard extends AuthenticationGuard implements OnModuleInit {
  readonly #logger = new Logger(AuthorizedGuard.name);
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
        : this.goOnWithoutToken(context, this.#isOptional(requirements));
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

  /** What holds for the current handler. */
  protected requirementsFor(context: ExecutionContext): Requirements {
    return requirementsFor(context.getClass(), context.getHandler());
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
    else this.#logger.debug(`${error.code}: ${oneLine(error.message)}`);
    return this.contexts.toException(error, context, this.requirementsFor(context));
  }

  #report(token: AuthenticatedToken, context: ExecutionContext): void {
    const credentials = this.contexts.of(context).credentialsOf(context);
    const rawToken = this.authenticator.rawTokenIn(credentials);
    this.contexts.reportAccepted({ token, rawToken, context, credentials });
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
