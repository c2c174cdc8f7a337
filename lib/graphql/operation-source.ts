import { Readable } from 'node:stream';
import type { ExecutionContext } from '@nestjs/common';
import type { HttpRequestLike } from '../authentication/credentials.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { RequestInvalidError } from '../errors/request.errors.js';
import { isAnswered, isGone } from './response-end.js';
import { isOfOneRequest } from './shared-request.js';

/** The WebSocket connection of an operation. */
export interface GraphqlConnection {
  /** The payload of `connection_init`: the client's. */
  readonly parameters: unknown;
  readonly upgrade: HttpRequestLike | undefined;
}

/** Where an operation came from, and the object within which one authentication holds. */
export type OperationSource =
  | { readonly kind: 'http'; readonly operation: object; readonly request: HttpRequestLike }
  | { readonly kind: 'socket'; readonly operation: object; readonly connection: GraphqlConnection };

const ARGUMENTS =
  'The guard of a GraphQL resolver was called without a GraphQL context; is a library calling it that is not @nestjs/graphql?';
const NO_REQUEST =
  'The GraphQL context names no request; let the option context of GraphQLModule return an object, without a req of its own: context: (request) => ({ … })';
const SHARED =
  'The GraphQL context belongs to another request: GraphQLModule was given an object as context, which all requests share; use context: (request) => ({ … }). A resolver that starts an operation itself must pass its own context on';
const GONE = 'The client has closed the connection before its operation was complete';

/**
 * Finds the request or the connection behind a call of a resolver: `(root, args, context, info)`. What the two drivers
 * put into `context` differs, and is never taken from the client's message.
 *
 * @throws {AuthConfigurationError} when there is none, or when the context is that of another request
 * @throws {RequestInvalidError} when the client is gone
 */
export function sourceOf(context: ExecutionContext): OperationSource {
  const { gql, info } = argumentsOf(context);
  const connection = connectionOf(gql);
  if (connection) return { kind: 'socket', operation: isSubscription(info) ? info : gql, connection };
  const request = requestOf(gql);
  if (isAnswered(request) || !isOfOneRequest(gql, request)) throw new AuthConfigurationError(SHARED);
  // No fault of the application, and clients must not be able to fill its log: also what a context that is shared leaves.
  if (isGone(request)) throw new RequestInvalidError(GONE);
  return { kind: 'http', operation: request, request };
}

/** The GraphQL context of a call. @throws {AuthConfigurationError} when the call has none */
export function contextOf(context: ExecutionContext): object {
  return argumentsOf(context).gql;
}

/** Resolvers are called with `(root, args, context, info)`, those of federated references with `(reference, context, info)`. */
function argumentsOf(context: ExecutionContext): {
  readonly gql: Context;
  readonly info: { readonly operation: unknown };
} {
  const [, second, third, fourth]: unknown[] = context.getArgs();
  const [gql, info] = isInfo(fourth) ? [third, fourth] : [second, third];
  if (!isObject(gql) || !isInfo(info)) throw new AuthConfigurationError(ARGUMENTS);
  return { gql, info };
}

function requestOf({ req, reply }: Context): HttpRequestLike {
  // Mercurius names the reply of each request; a context that all requests share keeps the first one's `req`.
  const answered = isObject(reply) && 'request' in reply ? reply.request : undefined;
  if (answered !== undefined && req !== undefined && answered !== req)
    throw new AuthConfigurationError(SHARED);
  const request = answered ?? req;
  if (!isRequest(request)) throw new AuthConfigurationError(NO_REQUEST);
  return request;
}

function connectionOf(gql: Context): GraphqlConnection | undefined {
  const { req, request } = gql;
  // Mercurius: the members of its SubscriptionConnection.
  if ('_connectionInit' in gql) {
    return { parameters: gql._connectionInit, upgrade: isRequest(request) ? request : undefined };
  }
  // Apollo's driver puts graphql-ws' own context where it puts a request.
  for (const candidate of [req, gql]) {
    if (isObject(candidate) && isObject(candidate.extra) && 'connectionInitReceived' in candidate) {
      const { request: upgrade } = candidate.extra;
      return { parameters: candidate.connectionParams, upgrade: isRequest(upgrade) ? upgrade : undefined };
    }
  }
  // A context function of the application's own that returned `extra.request`: it lives as long as the connection.
  if (isRequest(req) && isUpgrade(req)) return { parameters: undefined, upgrade: req };
  return undefined;
}

/** As much of a GraphQL context as is looked at. */
interface Context {
  readonly req?: unknown;
  readonly reply?: unknown;
  readonly request?: unknown;
  readonly extra?: unknown;
  readonly connectionParams?: unknown;
  readonly _connectionInit?: unknown;
}

function isObject(value: unknown): value is Context & { readonly raw?: unknown } {
  return typeof value === 'object' && value !== null;
}

/** Requests of Node are streams; Fastify keeps Node's in `raw`. */
function isRequest(value: unknown): value is HttpRequestLike & { readonly raw?: never } {
  return value instanceof Readable || (isObject(value) && value.raw instanceof Readable);
}

function isUpgrade(request: object): boolean {
  const raw: unknown = 'raw' in request && request.raw !== undefined ? request.raw : request;
  return isObject(raw) && 'upgrade' in raw && raw.upgrade === true;
}

/** GraphQLResolveInfo, as the executor makes it. */
function isInfo(value: unknown): value is { readonly operation: unknown } {
  return isObject(value) && 'operation' in value && 'schema' in value && 'fieldName' in value;
}

function isSubscription({ operation }: { readonly operation?: unknown }): boolean {
  return isObject(operation) && 'operation' in operation && operation.operation === 'subscription';
}
