import { Logger, type ExecutionContext } from '@nestjs/common';
import type { Credentials } from '../../authentication/credentials.js';
import type { Outcomes } from '../../authentication/outcomes/outcomes.js';
import type { AuthError } from '../../errors/auth.error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import type { ResolvedAuthOptions } from '../../options/resolved-options.js';
import { answerTo } from '../answers/auth-answer.js';
import type { Refusal } from '../answers/answer-extension.js';
import type { Requirements } from '../requirements/requirements.js';
import type { AcceptedCall } from './accepted-call.js';
import type { AuthContext } from './auth-context.js';
import type { HttpContext } from './http.context.js';

/** The contexts that an application has switched on. One per application. */
export class AuthContexts {
  readonly #logger = new Logger('AuthorizedGuard');
  readonly #byType: ReadonlyMap<string, AuthContext>;
  readonly #listeners: readonly ((call: AcceptedCall) => void)[];
  readonly #ignored = new Set<string>();
  /** In seconds, by the issuer's `name`. */
  readonly clockTolerances: ReadonlyMap<string, number>;

  /** @internal */
  constructor(
    private readonly http: HttpContext,
    private readonly options: Pick<
      ResolvedAuthOptions,
      'contexts' | 'otherContexts' | 'extensions' | 'realm' | 'impliedBy' | 'issuers'
    >,
    private readonly outcomes: Outcomes,
  ) {
    this.#byType = new Map(options.contexts.map((context) => [context.type, context]));
    this.#listeners = options.extensions.flatMap(({ accepted }) => accepted ?? []);
    this.clockTolerances = new Map(options.issuers.map(({ name, clockTolerance }) => [name, clockTolerance]));
  }

  /** The types that are switched on, HTTP first. */
  get types(): readonly string[] {
    return [this.http.type, ...this.#byType.keys()];
  }

  /** Whether a global guard leaves handlers of other types to their own guards. */
  get areOthersIgnored(): boolean {
    return this.options.otherContexts === 'ignore';
  }

  /** For each scope those that imply it. */
  get impliedBy(): ReadonlyMap<string, readonly string[]> {
    return this.options.impliedBy;
  }

  /** @throws {AuthConfigurationError} when the type of the call is not switched on */
  of(context: ExecutionContext): AuthContext {
    const type: string = context.getType();
    const known = type === 'http' ? this.http : this.#byType.get(type);
    if (known) return known;
    throw new AuthConfigurationError(
      `AuthorizedGuard was called for a handler of the type ${type}, which is not switched on; add its context to the option contexts of AuthModule (nestjs-resilient-auth/graphql, /websockets, /microservices, or an AuthContext of your own), or open the handler with @AllowAnonymous`,
    );
  }

  /** Whether the type of the call is not switched on, and `otherContexts` is `ignore`. */
  isIgnored(context: ExecutionContext): boolean {
    const type: string = context.getType();
    return type !== 'http' && this.areOthersIgnored && !this.#byType.has(type);
  }

  /** Logs one warning per type that is left to other guards. */
  warnIgnored(context: ExecutionContext): void {
    const type: string = context.getType();
    if (this.#ignored.has(type)) return;
    this.#ignored.add(type);
    this.#logger.warn(
      `Handlers of the type ${type} are not protected: the type is not switched on, and otherContexts is 'ignore'`,
    );
  }

  /** Counts an operation that is answered with an error, as its guard decides. */
  countRefusal(error: AuthError): void {
    this.outcomes.answered(error);
  }

  /** Whether an extension wants to know of accepted calls. */
  get areCallsReported(): boolean {
    return this.#listeners.length > 0;
  }

  /** Reports a call to the extensions, before its handler is called. */
  reportAccepted(call: AcceptedCall): void {
    for (const accepted of this.#listeners) accepted(call);
  }

  /** Returns the exception of the transport for a refusal, with what extensions add to its answer. */
  toException(
    error: AuthError,
    context: ExecutionContext,
    requirements: Requirements,
  ): Error | Promise<never> {
    const auth = this.of(context);
    const { extensions, realm } = this.options;
    const refusal: Refusal = { error, context, requirements, credentials: credentialsOf(auth, context) };
    const answer = extensions.reduce(
      (answer, { answer: extend }) => extend?.(answer, refusal) ?? answer,
      answerTo(error, realm),
    );
    return auth.toException(answer, context);
  }
}

function credentialsOf(auth: AuthContext, context: ExecutionContext): Credentials | undefined {
  try {
    return auth.credentialsOf(context);
  } catch {
    // Malformed credentials are what is being refused.
    return undefined;
  }
}
