import type { ExecutionContext } from '@nestjs/common';
import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import type { Credentials } from '../../authentication/credentials.js';
import type { AuthAnswer } from '../answers/auth-answer.js';

/** What a guard of the whole application does with handlers of types that are not switched on. */
export type OtherContexts = 'refuse' | 'ignore';

/** What the guard has accepted for an operation. */
interface Attached {
  readonly token: AuthenticatedToken | undefined;
  readonly user: unknown;
}

/**
 * What a transport provides, so that `@Authorized` protects its handlers: the port for GraphQL, WebSockets,
 * microservices and for libraries built on Nest's `ExternalContextCreator`. Switched on by
 * `AuthModule.forRoot({ contexts: [new QueueContext()] })`; HTTP is always on.
 *
 * Every method gets the context of a call whose `getType()` is {@link type}. It must not trust the arguments: a method
 * that does not find what its transport passes throws `RequestInvalidError`, or `AuthConfigurationError` where the
 * application is at fault. Nothing that the sender of a message controls may stand for an operation or a user.
 *
 * ```ts
 * class QueueContext extends AuthContext {
 *   readonly type = 'queue';
 *   operationOf(context: ExecutionContext): object {
 *     const job: unknown = context.getArgByIndex(0);
 *     if (!(job instanceof Job)) throw new RequestInvalidError('The queue calls its handlers with a Job');
 *     return job;
 *   }
 *   credentialsOf(context: ExecutionContext): Credentials {
 *     const job = context.getArgByIndex<Job>(0);
 *     return { authorization: job.headers.authorization, request: job };
 *   }
 *   toException({ error, description }: AuthAnswer): Error {
 *     return new JobRefused(error.code, description);
 *   }
 * }
 * ```
 */
export abstract class AuthContext {
  /** Weakly by {@link holderOf}: nothing outlives its operation, and two applications have adapters of their own. */
  readonly #attached = new WeakMap<object, Attached>();

  /** What `ExecutionContext.getType()` returns in this transport; never `http`. */
  abstract readonly type: string;

  /**
   * Returns the object for which one authentication holds: the same for every guard of the operation, another for the
   * next one. Not the connection: a connection outlives a token. It is compared by identity and held weakly.
   *
   * @throws {AuthError} when the arguments are not those of this transport
   */
  abstract operationOf(context: ExecutionContext): object;

  /**
   * Returns the credentials of the operation. Called once per guard, so it should do no work that can wait for a getter.
   *
   * @throws {AuthError} when they are malformed
   */
  abstract credentialsOf(context: ExecutionContext): Credentials;

  /**
   * Turns a refusal into the transport's own exception, which the guard throws. Nothing of the message may be in it. A
   * promise that never settles keeps the handler from being called where Nest cannot handle an exception; then the
   * operation must have been ended here.
   */
  abstract toException(answer: AuthAnswer, context: ExecutionContext): Error | Promise<never>;

  /**
   * Returns what the guard throws for an error that is none of this library's, such as one of `validate` or a policy.
   * Default: the error. A promise that never settles, as with {@link toException}.
   */
  toFault(error: unknown, _context: ExecutionContext): unknown {
    return error;
  }

  /**
   * Returns the object under which the accepted token is kept for `@CurrentUser` and `@CurrentToken`. It must be
   * found through the arguments of the handler's call, where Nest makes a new context. Default: the operation.
   */
  holderOf(context: ExecutionContext): object {
    return this.operationOf(context);
  }

  /** Returns what request-scoped policies are created for, and inject as `REQUEST`. Default: the operation. */
  requestOf(context: ExecutionContext): object {
    return this.operationOf(context);
  }

  /** Keeps the accepted token and its user; `undefined` where the operation goes on without one. */
  attach(context: ExecutionContext, token: AuthenticatedToken | undefined, user: unknown): void {
    this.#attached.set(this.holderOf(context), { token, user });
  }

  /** Returns the token that was accepted for this call. */
  tokenOf(context: ExecutionContext): AuthenticatedToken | undefined {
    return this.#attached.get(this.holderOf(context))?.token;
  }

  /** Returns the user that was accepted for this call. */
  userOf(context: ExecutionContext): unknown {
    return this.#attached.get(this.holderOf(context))?.user;
  }
}
