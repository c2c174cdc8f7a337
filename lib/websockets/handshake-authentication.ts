import { Inject, Injectable, Module } from '@nestjs/common';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import { Authenticator } from '../authentication/authenticator.js';
import { asBearer } from '../authentication/bearer-token.js';
import type { Credentials } from '../authentication/credentials.js';
import { Outcomes } from '../authentication/outcomes/outcomes.js';
import { TokenWatcher } from '../authentication/watch/token-watcher.js';
import { answerTo, type AuthAnswer } from '../authorized/answers/auth-answer.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { TokenRejectedError } from '../errors/token.errors.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../options/resolved-options.js';
import { boundKeyOf, Connection, connections } from './connection.js';
import { handshakeCredentials } from './handshake-credentials.js';
import type { HandshakePort } from './handshake-port.js';
import { isSocketIoServer, protectSocketIo } from './socket-io.js';
import { isWsServer, protectWs } from './ws.js';

/** What {@link HandshakeAuthentication.protect} takes. */
export interface ProtectOptions {
  /**
   * When the token expires (clock tolerance included) or its key is withdrawn: `disconnect` ends the connection at once,
   * without waiting for a message; `refuse` keeps it, and refuses each message. Default `'disconnect'`.
   */
  onExpiry?: 'disconnect' | 'refuse' | undefined;
  /** The event with which a client sends a new token of the same subject. Default none; `'auth:renew'` is usual. */
  renewEvent?: string | undefined;
  /** Accept clients without credentials; handlers that are not `@AllowAnonymous` refuse their messages. Default `false`. */
  anonymous?: boolean | undefined;
  /** Also read the subprotocol `bearer.<token>`, for browsers' own WebSocket. Default `false`. */
  protocol?: boolean | undefined;
}

/** Every option with its default. */
interface Resolved {
  readonly onExpiry: 'disconnect' | 'refuse';
  readonly renewEvent: string | undefined;
  readonly anonymous: boolean;
  readonly protocol: boolean;
}

/**
 * Authenticates WebSocket clients at the handshake, where Nest runs no guards. Call `protect` in the gateway:
 *
 * ```ts
 * afterInit(server: Server) {
 *   this.handshakes.protect(server);
 * }
 * ```
 */
@Injectable()
export class HandshakeAuthentication {
  /** By server, with the options it is protected with. */
  readonly #protected = new WeakMap<object, Resolved>();
  /** By upgrade request, which has one proof for all its namespaces. */
  readonly #provenKeys = new WeakMap<object, string>();
  /** By upgrade request: the check of its latest namespace. */
  readonly #latest = new WeakMap<object, Promise<unknown>>();

  /** @internal */
  constructor(
    @Inject(Authenticator) private readonly authenticator: Authenticator,
    @Inject(TokenWatcher) private readonly watcher: TokenWatcher,
    @Inject(RESOLVED_OPTIONS) private readonly authOptions: ResolvedAuthOptions,
    @Inject(Outcomes) private readonly outcomes: Outcomes,
  ) {}

  /**
   * Protects a socket.io server or namespace, or a server of ws. Calling it again for the same one does nothing.
   *
   * @throws {AuthConfigurationError} the server is of another kind, or protected already with other options
   */
  protect(server: object, options: ProtectOptions = {}): void {
    const { onExpiry = 'disconnect', renewEvent, anonymous = false, protocol = false } = options;
    const resolved = { onExpiry, renewEvent, anonymous, protocol };
    const earlier = this.#protected.get(server);
    if (earlier) return assertSame(earlier, resolved);
    const port = this.#portFor(resolved);
    if (isSocketIoServer(server)) protectSocketIo(server, port);
    else if (isWsServer(server)) protectWs(server, port);
    else throw new AuthConfigurationError('HandshakeAuthentication protects servers of socket.io and ws');
    this.#protected.set(server, resolved);
  }

  #portFor({ onExpiry, renewEvent, anonymous, protocol }: Resolved): HandshakePort {
    const watcher = onExpiry === 'disconnect' ? this.watcher : undefined;
    return {
      renewEvent,
      check: (handshake) =>
        this.#inTurn(handshake.upgrade, async () => {
          const provenKey = this.#provenKeys.get(handshake.upgrade);
          const given = handshakeCredentials(handshake, protocol);
          const credentials = provenKey === undefined ? given : { ...given, upgrade: undefined, provenKey };
          const isAnonymous = anonymous && credentials.authorization === undefined;
          const accepted = isAnonymous ? undefined : await this.#authenticate(credentials);
          if (accepted && 'error' in accepted) return { refusal: accepted };
          const key = accepted && boundKeyOf(accepted);
          if (key !== undefined) this.#provenKeys.set(handshake.upgrade, key);
          return {
            take: (client, clientPort) => {
              const connection = new Connection(handshake.upgrade, clientPort, watcher);
              if (accepted) connection.open(this.authenticator.rawTokenIn(credentials), accepted);
              connections.set(client, connection);
              return connection;
            },
          };
        }),
      renew: async (client, token) => this.#renew(client, token),
    };
  }

  /** One after the other: a client may open several namespaces at once, and the first one uses their proof up. */
  #inTurn<T>(upgrade: object, check: () => Promise<T>): Promise<T> {
    const turn = this.#latest.get(upgrade)?.then(check, check) ?? check();
    this.#latest.set(upgrade, turn);
    return turn;
  }

  async #renew(client: object, token: unknown): Promise<AuthAnswer | undefined> {
    const connection = connections.get(client);
    if (!connection) return undefined;
    connection.beginRenewal();
    try {
      return await this.#replace(connection, token);
    } finally {
      connection.endRenewal();
    }
  }

  async #replace(connection: Connection, token: unknown): Promise<AuthAnswer | undefined> {
    const { upgrade: request, provenKey } = connection;
    const credentials = { authorization: asBearer(token), request, provenKey };
    const accepted = await this.#authenticate(credentials);
    if ('error' in accepted) return accepted;
    if (!connection.isSameSubject(accepted)) {
      const error = new TokenRejectedError('A token of another subject cannot renew a connection');
      connection.end(error);
      return this.#answerTo(error);
    }
    if (!connection.isOlder(accepted))
      connection.accept(this.authenticator.rawTokenIn(credentials), accepted);
    return undefined;
  }

  async #authenticate(credentials: Credentials): Promise<AuthenticatedToken | AuthAnswer> {
    try {
      return await this.authenticator.answerTo({}, credentials);
    } catch (error) {
      if (error instanceof AuthError) return this.#answerTo(error);
      throw error;
    }
  }

  #answerTo(error: AuthError): AuthAnswer {
    this.outcomes.answered(error);
    return answerTo(error, this.authOptions.realm);
  }
}

/** Gateways that share a server share its handshake: the second must not believe in options that do not hold. */
function assertSame(earlier: Resolved, given: Resolved): void {
  const differing = Object.entries(given).find(([name, value]) => Reflect.get(earlier, name) !== value);
  if (!differing) return;
  throw new AuthConfigurationError(
    `HandshakeAuthentication.protect was called for one server with different values of ${differing[0]}; gateways that share a server (port and path, or namespace) need the same options`,
  );
}

/** Provides {@link HandshakeAuthentication}; import it in the module of the gateway. */
@Module({ providers: [HandshakeAuthentication], exports: [HandshakeAuthentication] })
export class HandshakeAuthModule {}
