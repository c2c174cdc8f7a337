import { Inject, Injectable, Module } from '@nestjs/common';
import { Authenticator } from '../authentication/authenticator.js';
import type { Credentials } from '../authentication/credentials.js';
import { TokenWatcher } from '../authentication/watch/token-watcher.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { MetadataUnavailableError } from '../errors/metadata.errors.js';
import { connectionAuthorization } from './connection-credentials.js';
import { endable } from './endable-iterator.js';
import type { GraphqlContextOptions } from './graphql.context.js';

/** What {@link SubscriptionAuthentication.graphqlWs} takes. */
export interface SubscriptionAuthenticationOptions extends GraphqlContextOptions {
  /**
   * What happens to a running subscription when its token expires (clock tolerance included) or its key is withdrawn:
   * `complete` ends it, `close` closes the connection with code 4403, `keep` does nothing. Default `'complete'`.
   */
  onExpiry?: 'complete' | 'close' | 'keep' | undefined;
}

/** As much of graphql-ws' context of a connection as is used. */
export interface GraphqlWsConnection {
  readonly connectionParams?: Readonly<Record<string, unknown>> | undefined;
  readonly extra?: unknown;
}

/** Options of graphql-ws' server. */
export interface GraphqlWsHooks {
  onConnect(connection: GraphqlWsConnection): Promise<boolean>;
  /** Returns the result to use in place of the given one; `undefined` keeps it. */
  onOperation(
    connection: GraphqlWsConnection,
    id: string,
    payload: unknown,
    args: unknown,
    result: unknown,
  ): Promise<AsyncGenerator<never, void> | undefined>;
}

/** RFC 6455 §7.4.2 and graphql-ws' own: 4403 is final, 1013 ("try again later") makes clients connect again. */
const FORBIDDEN = 4403;
const TRY_AGAIN_LATER = 1013;

/**
 * Authenticates connections of graphql-ws and ends subscriptions whose token ends. Guards check each operation in any
 * case; this refuses a bad token at once, and stops what runs longer than its token.
 *
 * ```ts
 * GraphQLModule.forRootAsync<ApolloDriverConfig>({
 *   driver: ApolloDriver,
 *   imports: [GraphqlAuthModule],
 *   inject: [SubscriptionAuthentication],
 *   useFactory: (auth: SubscriptionAuthentication) => ({ subscriptions: { 'graphql-ws': auth.graphqlWs() } }),
 * })
 * ```
 */
@Injectable()
export class SubscriptionAuthentication {
  /** @internal */
  constructor(
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(TokenWatcher) private readonly watcher: TokenWatcher,
  ) {}

  /** The hooks for the option `subscriptions['graphql-ws']` of GraphQLModule. */
  graphqlWs({
    connectionParams = [],
    onExpiry = 'complete',
  }: SubscriptionAuthenticationOptions = {}): GraphqlWsHooks {
    return {
      onConnect: (connection) => this.#connect(connection, connectionParams),
      onOperation: async (connection, _id, _payload, _args, result) =>
        onExpiry === 'keep' || !isGenerator(result)
          ? undefined
          : this.#bound(result, connection, connectionParams, onExpiry),
    };
  }

  async #connect(connection: GraphqlWsConnection, names: readonly string[]): Promise<boolean> {
    const credentials = credentialsOf(connection, names);
    // Without a token an open resolver may still be called; the guard refuses the others.
    if (credentials.authorization === undefined) return true;
    try {
      await this.authenticator.answerTo({}, credentials);
      return true;
    } catch (error) {
      if (!(error instanceof AuthError) || error instanceof AuthConfigurationError) throw error;
      const code = error instanceof MetadataUnavailableError ? TRY_AGAIN_LATER : FORBIDDEN;
      closeSocket(connection, code, error.code);
      return false;
    }
  }

  /** Ends a result when the token of its operation ends; without a token it belongs to an open resolver. */
  async #bound(
    result: AsyncGenerator<never, void>,
    connection: GraphqlWsConnection,
    names: readonly string[],
    onExpiry: 'complete' | 'close',
  ): Promise<AsyncGenerator<never, void> | undefined> {
    const credentials = credentialsOf(connection, names);
    if (credentials.authorization === undefined) return undefined;
    const token = await Promise.resolve(this.authenticator.answerTo({}, credentials)).catch(() => undefined);
    if (!token) return undefined;
    return endable(result, (end) =>
      this.watcher.watch(this.authenticator.rawTokenIn(credentials), token, ({ code }) => {
        if (onExpiry === 'close') closeSocket(connection, FORBIDDEN, code);
        end();
      }),
    );
  }
}

/** Provides {@link SubscriptionAuthentication} to `GraphQLModule.forRootAsync({ imports, inject })`. */
@Module({ providers: [SubscriptionAuthentication], exports: [SubscriptionAuthentication] })
export class GraphqlAuthModule {}

function credentialsOf(
  { connectionParams, extra }: GraphqlWsConnection,
  names: readonly string[],
): Credentials {
  const upgrade = memberOf(extra, 'request');
  const connection = { parameters: connectionParams, upgrade: isObject(upgrade) ? upgrade : undefined };
  return { authorization: connectionAuthorization(connection, names), request: upgrade };
}

function closeSocket({ extra }: GraphqlWsConnection, code: number, reason: string): void {
  const socket = memberOf(extra, 'socket');
  const close = memberOf(socket, 'close');
  if (typeof close === 'function') Reflect.apply(close, socket, [code, reason]);
}

function memberOf(value: unknown, name: string): unknown {
  return isObject(value) ? Reflect.get(value, name) : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Typed by nothing in particular: what it yields is passed on. */
function isGenerator(value: unknown): value is AsyncGenerator<never, void> {
  return isObject(value) && Symbol.asyncIterator in value && 'return' in value && 'next' in value;
}
