import { Readable } from 'node:stream';
import type { ExecutionContext } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import type { AuthenticatedToken } from '../../authentication/authenticated-token.js';
import type { Credentials, HttpRequestLike } from '../../authentication/credentials.js';
import { HttpCredentials } from '../../authentication/http-credentials.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import type { AuthAnswer } from '../answers/auth-answer.js';
import { httpException, httpHeaders } from '../answers/http-exception.js';
import { AuthContext } from './auth-context.js';

/** A request of Express or Fastify, and where passport, too, puts what it has accepted. */
interface HttpRequest extends HttpRequestLike {
  user?: unknown;
  authInfo?: AuthenticatedToken | undefined;
}

// Not `switchToHttp`: it writes three closures on the context of each call.
const requestOf = (context: ExecutionContext): HttpRequest | undefined =>
  context.getArgByIndex<HttpRequest | undefined>(0);

// Node's requests over HTTP/1 and HTTP/2, and those that Fastify injects, are streams; Fastify keeps them in `raw`.
const isRequest = (request: HttpRequest | undefined): request is HttpRequest =>
  request instanceof Readable || request?.raw instanceof Readable;

/** HTTP, always on. One operation is one request; what was accepted is `request.user` and `request.authInfo`. */
export class HttpContext extends AuthContext {
  readonly type = 'http';

  constructor(private readonly adapterHost: HttpAdapterHost) {
    super();
  }

  /**
   * `ExternalContextCreator` of Nest passes `http` when a library names no type: then the first argument may be a payload
   * that its sender controls, and looks like a request.
   *
   * @throws {AuthConfigurationError} when the first argument is no request of an HTTP platform
   */
  override operationOf(context: ExecutionContext): object {
    const request = requestOf(context);
    if (isRequest(request)) return request;
    throw new AuthConfigurationError(
      'A handler of the type http was called without an HTTP request; the library that calls it has to pass a type of its own to ExternalContextCreator',
    );
  }

  override credentialsOf(context: ExecutionContext): Credentials {
    return new HttpCredentials(requestOf(context) ?? {}, context.getArgByIndex(1));
  }

  override toException(answer: AuthAnswer, context: ExecutionContext): Error {
    if (!isRequest(requestOf(context))) return answer.error;
    const response: unknown = context.getArgByIndex(1);
    for (const [name, value] of Object.entries(httpHeaders(answer)))
      this.adapterHost.httpAdapter.setHeader(response, name, value);
    return httpException(answer);
  }

  override attach(context: ExecutionContext, token: AuthenticatedToken | undefined, user: unknown): void {
    const request = requestOf(context);
    if (!request) return;
    request.authInfo = token;
    request.user = user;
  }

  override tokenOf(context: ExecutionContext): AuthenticatedToken | undefined {
    return httpTokenOf(context);
  }

  override userOf(context: ExecutionContext): unknown {
    return httpUserOf(context);
  }
}

/** The token of a request that has a user: passport leaves its refusals in `authInfo`, too. */
export function httpTokenOf(context: ExecutionContext): AuthenticatedToken | undefined {
  const request = requestOf(context);
  return request?.user === undefined ? undefined : request.authInfo;
}

/** The user of a request. */
export function httpUserOf(context: ExecutionContext): unknown {
  return requestOf(context)?.user;
}
