import type { ExecutionContext } from '@nestjs/common';
import type { Credentials } from '../authentication/credentials.js';
import { HttpCredentials } from '../authentication/http-credentials.js';
import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import { AuthContext } from '../authorized/contexts/auth-context.js';
import { connectionAuthorization } from './connection-credentials.js';
import { graphqlError } from './graphql-error.js';
import { observeResponses } from './response-end.js';
import { contextOf, sourceOf } from './operation-source.js';

/** What {@link graphqlContext} takes. */
export interface GraphqlContextOptions {
  /**
   * Members of graphql-ws' `connectionParams` that may carry the token, beside `authorization` and
   * `headers.authorization`. Default none.
   */
  connectionParams?: readonly string[] | undefined;
}

/**
 * Switches GraphQL on: queries, mutations and subscriptions of `@nestjs/graphql` with the drivers of `@nestjs/apollo` and
 * `@nestjs/mercurius`, over HTTP and graphql-ws.
 *
 * ```ts
 * AuthModule.forRoot({ issuer, audience, contexts: [graphqlContext()] })
 * ```
 */
export function graphqlContext(options: GraphqlContextOptions = {}): AuthContext {
  return new GraphqlContext(options.connectionParams ?? []);
}

/**
 * One operation is one HTTP request (its root fields, aliases and batched operations share one authentication), one
 * operation over a WebSocket, and one field of an event of a subscription, which may run for a day.
 */
class GraphqlContext extends AuthContext {
  readonly type = 'graphql';

  constructor(private readonly names: readonly string[]) {
    super();
    observeResponses();
  }

  override operationOf(context: ExecutionContext): object {
    return sourceOf(context).operation;
  }

  override credentialsOf(context: ExecutionContext): Credentials {
    const source = sourceOf(context);
    if (source.kind === 'http') return new HttpCredentials(source.request);
    const authorization = connectionAuthorization(source.connection, this.names);
    return { authorization, request: source.connection.upgrade };
  }

  /** What Nest, too, creates request-scoped providers of resolvers for: the GraphQL context of the operation. */
  override requestOf(context: ExecutionContext): object {
    return contextOf(context);
  }

  override toException(answer: AuthAnswer): Error {
    return graphqlError(answer);
  }
}
