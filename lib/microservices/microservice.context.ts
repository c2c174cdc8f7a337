import { IntrinsicException, Logger, type ExecutionContext } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { Credentials } from '../authentication/credentials.js';
import type { AuthAnswer } from '../authorized/answers/auth-answer.js';
import { AuthContext } from '../authorized/contexts/auth-context.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { RequestInvalidError } from '../errors/request.errors.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { SystemClock, type Clock } from '../time/clock.js';
import { grpcException } from './grpc-exception.js';
import { authorizationOf, isGrpcMetadata, isMessageContext, type GrpcMetadata } from './message-headers.js';

/** What {@link microserviceContext} takes. */
export interface MicroserviceContextOptions {
  /**
   * Reads the token from the payload, for transports or senders without headers. At your own risk: brokers log and store
   * payloads. `null`: the message carries none. Default: payloads are never read.
   */
  payload?: ((data: unknown, context: unknown) => string | null) | undefined;
}

/**
 * Switches message and event handlers of `@nestjs/microservices` on: TCP and Redis (Nest 12.1 and later), NATS, RabbitMQ,
 * MQTT 5, Kafka and gRPC. The token is in `authorization` of the message's headers, properties or metadata.
 *
 * ```ts
 * AuthModule.forRoot({ issuer, audience, contexts: [microserviceContext()] })
 * ```
 */
export function microserviceContext(options: MicroserviceContextOptions = {}): AuthContext {
  return new MicroserviceContext(options.payload, new SystemClock());
}

/** In characters: sixteen times what a token may have by default. HTTP bounds its headers, brokers forward megabytes. */
const MAX_AUTHORIZATION = 262_144;
const WARNING_INTERVAL = 60_000;
/** Nest's metadata of a handler, and its value for `@EventPattern`. */
const HANDLER_TYPE = 'microservices:handler_type';
const EVENT = 2;
/** gRPC's status for a fault of the server. */
const INTERNAL = 13;

/** One operation is one message, or one gRPC call, streams included. */
export class MicroserviceContext extends AuthContext {
  readonly type = 'rpc';
  readonly #logger = new Logger('AuthorizedGuard');
  #warnedAt = Number.NEGATIVE_INFINITY;
  #unreported = 0;

  constructor(
    private readonly payload: MicroserviceContextOptions['payload'],
    private readonly clock: Clock,
  ) {
    super();
  }

  override operationOf(context: ExecutionContext): object {
    return callOf(context).operation;
  }

  override credentialsOf(context: ExecutionContext): Credentials {
    const { carrier, operation, data } = callOf(context);
    if (!this.payload) return { authorization: boundedAuthorizationOf(carrier), request: operation };
    const token = this.#tokenIn(data, carrier);
    return { authorization: typeof token === 'string' ? `Bearer ${token}` : token, request: operation };
  }

  /** The sender chooses the payload's form, and after an error of another kind Nest would end the process in a gRPC stream. */
  #tokenIn(data: unknown, carrier: object): unknown {
    try {
      return this.payload?.(data, carrier);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      throw new RequestInvalidError('The option payload of microserviceContext could not read the message');
    }
  }

  override toException(answer: AuthAnswer, context: ExecutionContext): Error | Promise<never> {
    const { carrier, end } = callOf(context);
    if (isGrpcMetadata(carrier)) {
      const exception = grpcException(answer, carrier);
      return end ? endCall(end, exception) : exception;
    }
    const { error, status: statusCode, description: message, retryAfter } = answer;
    if (isEventHandler(context)) return this.#refuseEvent(answer, context);
    const refusal = {
      status: 'error',
      statusCode,
      message,
      errorCode: error.code,
      ...(retryAfter !== undefined && { retryAfter }),
    };
    return withoutStackTrace(() => new RpcException(refusal));
  }

  /** Nest would end the process, and never the call. */
  override toFault(error: unknown, context: ExecutionContext): unknown {
    const { end } = callOf(context);
    return end ? endCall(end, new RpcException({ code: INTERNAL, message: 'Internal server error' })) : error;
  }

  /** The sender gets no answer to an event, and an attacker's flood of them must not become one of the log. */
  #refuseEvent({ error, description }: AuthAnswer, context: ExecutionContext): Error {
    this.#unreported++;
    const now = this.clock.monotonic();
    if (now - this.#warnedAt >= WARNING_INTERVAL) {
      this.#warnedAt = now;
      const handler = `${context.getClass().name}.${context.getHandler().name}`;
      this.#logger.warn(
        `${this.#unreported} events were not handled since the last warning; the last one by ${handler}: ${error.code}`,
      );
      this.#unreported = 0;
    }
    // Nest logs each other exception of an event handler.
    return withoutStackTrace(() => new IntrinsicException(description, { cause: error }));
  }
}

/** @throws {RequestInvalidError} when it is so long that it is no header of any client */
function boundedAuthorizationOf(carrier: object): unknown {
  const authorization = authorizationOf(carrier);
  if (typeof authorization !== 'string' || authorization.length <= MAX_AUTHORIZATION) return authorization;
  throw new RequestInvalidError(
    `The authorization of the message has ${authorization.length} characters; at most ${MAX_AUTHORIZATION} are read`,
  );
}

interface Call {
  readonly operation: object;
  /** What carries the headers. */
  readonly carrier: GrpcMetadata | object;
  readonly data: unknown;
  /** Ends a call of `@GrpcStreamCall` with an error. */
  readonly end?: (error: object) => void;
}

/**
 * Nest calls handlers with `(data, context)`; gRPC's with `(request, metadata, call)`, and those of `@GrpcStreamCall` with
 * the call alone. The payload is the sender's, and nothing is read from it.
 *
 * @throws {AuthConfigurationError} for a context that is none of Nest's
 */
function callOf(context: ExecutionContext): Call {
  const [first, second, third]: unknown[] = context.getArgs();
  if (isGrpcMetadata(second) && isObject(third)) return { operation: third, carrier: second, data: first };
  if (isMessageContext(second)) return { operation: second, carrier: second, data: first };
  const metadata: unknown = isObject(first) && 'metadata' in first ? first.metadata : undefined;
  if (isObject(first) && isGrpcMetadata(metadata)) {
    return {
      operation: first,
      carrier: metadata,
      data: undefined,
      end: (error) => endWith(first, second, error),
    };
  }
  throw new AuthConfigurationError(
    'The guard of a message handler was called without a context of @nestjs/microservices; a custom transport needs an AuthContext of its own in place of microserviceContext',
  );
}

/**
 * Nest does not handle what a guard of `@GrpcStreamCall` throws: it would end the process as an unhandled rejection. So the
 * call is ended here, and the guard never settles.
 */
function endCall(end: (error: object) => void, exception: RpcException): Promise<never> {
  const status = exception.getError();
  if (isObject(status)) end(status);
  return new Promise(() => undefined);
}

/** With a callback where the answer is no stream. */
function endWith(call: object, callback: unknown, error: object): void {
  if (typeof callback === 'function') Reflect.apply(callback, undefined, [error]);
  else if ('emit' in call && typeof call.emit === 'function')
    Reflect.apply(call.emit, call, ['error', error]);
}

function isEventHandler(context: ExecutionContext): boolean {
  return Reflect.getMetadata(HANDLER_TYPE, context.getHandler()) === EVENT;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
