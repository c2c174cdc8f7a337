import type { ExecutionContext } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { AuthenticatedToken } from '../authentication/authenticated-token.js';
import type { Credentials } from '../authentication/credentials.js';
import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import { AuthContext } from '../authorized/contexts/auth-context.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { atEndOfTurn } from '../time/event-loop.js';
import { connections } from './connection.js';
import { handshakeCredentials } from './handshake-credentials.js';
import { refusalOf } from './refusal.js';

/** What {@link webSocketContext} takes. */
export interface WebSocketContextOptions {
  /** Read the subprotocol `bearer.<token>` of a socket.io client that is not protected. Default `false`. */
  protocol?: boolean | undefined;
}

/**
 * Switches WebSocket gateways on, with `@nestjs/platform-socket.io` and `@nestjs/platform-ws`. Each message is checked
 * by itself, with the token of the handshake or the one that has renewed it; see `HandshakeAuthentication`.
 *
 * ```ts
 * AuthModule.forRoot({ issuer, audience, contexts: [webSocketContext()] })
 * ```
 */
export function webSocketContext(options: WebSocketContextOptions = {}): AuthContext {
  return new WebSocketContext(options.protocol ?? false);
}

interface Accepted {
  readonly token: AuthenticatedToken | undefined;
  readonly user: unknown;
}

class WebSocketContext extends AuthContext {
  readonly type = 'ws';
  /** By client, gateway and message: a handler without a guard must not see what another was accepted with. */
  readonly #accepted = new WeakMap<object, Map<unknown, Map<unknown, Accepted>>>();

  constructor(private readonly fromProtocol: boolean) {
    super();
  }

  /** One message: Nest passes the same list of arguments to each of its guards. */
  override operationOf(context: ExecutionContext): object {
    clientOf(context);
    return context.getArgs();
  }

  override credentialsOf(context: ExecutionContext): Credentials {
    const client = clientOf(context);
    const connection = connections.get(client);
    if (connection) {
      const { authorization, upgrade: request, provenKey } = connection;
      return { authorization, request, provenKey };
    }
    // socket.io keeps the handshake on the client; ws passes it to listeners of `connection` only.
    if (isSocketIo(client)) {
      const handshake = { upgrade: client.request, auth: client.handshake.auth };
      // A proof is of one request: it does not prove the messages that follow.
      return { ...handshakeCredentials(handshake, this.fromProtocol), upgrade: undefined };
    }
    throw new AuthConfigurationError(
      'The gateway is not protected, and a client of ws does not carry its handshake; call HandshakeAuthentication.protect(server) in afterInit of the gateway',
    );
  }

  /** Handlers get the client as their first argument; each call replaces what the handler's last one was accepted with. */
  override holderOf(context: ExecutionContext): object {
    return clientOf(context);
  }

  override attach(context: ExecutionContext, token: AuthenticatedToken | undefined, user: unknown): void {
    const client = this.holderOf(context);
    const byGateway = this.#accepted.get(client) ?? new Map<unknown, Map<unknown, Accepted>>();
    const byPattern = byGateway.get(context.getClass()) ?? new Map<unknown, Accepted>();
    this.#accepted.set(client, byGateway.set(context.getClass(), byPattern));
    byPattern.set(patternOf(context), { token, user });
  }

  override tokenOf(context: ExecutionContext): AuthenticatedToken | undefined {
    return this.#acceptedOf(context)?.token;
  }

  override userOf(context: ExecutionContext): unknown {
    return this.#acceptedOf(context)?.user;
  }

  #acceptedOf(context: ExecutionContext): Accepted | undefined {
    return this.#accepted.get(this.holderOf(context))?.get(context.getClass())?.get(patternOf(context));
  }

  override requestOf(context: ExecutionContext): object {
    return clientOf(context);
  }

  /** With an object: for a string Nest's filter sends the client's own message back. */
  override toException(answer: AuthAnswer, context: ExecutionContext): Error {
    const { error, status } = answer;
    const connection = connections.get(clientOf(context));
    // After the exception, which Nest's filter sends in this turn of the event loop.
    if (status === 401 && connection?.authorization !== undefined)
      atEndOfTurn(() => connection.refused(error));
    return withoutStackTrace(() => new WsException(refusalOf(answer)));
  }
}

function clientOf(context: ExecutionContext): object {
  const client: unknown = context.getArgByIndex(0);
  if (typeof client === 'object' && client !== null) return client;
  throw new AuthConfigurationError('The guard of a gateway was called without a client');
}

/** Nest passes the message's name as the last argument, to guards and to parameters alike. */
function patternOf(context: ExecutionContext): unknown {
  return context.getArgs().at(-1);
}

interface SocketIoClient {
  readonly handshake: { readonly auth: unknown };
  readonly request: {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly rawHeaders: readonly string[];
  };
}

function isSocketIo(client: object): client is SocketIoClient {
  return (
    'handshake' in client &&
    typeof client.handshake === 'object' &&
    'request' in client &&
    typeof client.request === 'object'
  );
}
