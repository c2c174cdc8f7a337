import type { AbstractHttpAdapter } from '@nestjs/core';
import type { AuthExtension, ExtensionHost } from '../auth.options.js';
import type { Refusal } from '../authorized/answers/answer-extension.js';
import { answerTo } from '../authorized/answers/auth-answer.js';
import { httpException } from '../authorized/answers/http-exception.js';
import type { AcceptedCall } from '../authorized/contexts/accepted-call.js';
import { AuthError } from '../errors/auth.error.js';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import type { FeatureHost } from '../features/feature.js';
import type { ResolvedProtectedResource } from '../features/protected-resource-options.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import { challengesNaming } from './challenges.js';
import { setMcpAuth } from './mcp-auth-info.js';
import { documentOf, sharedMembers } from './metadata-document.js';
import { addMetadataRoutes, type RouteAnswer } from './metadata-route.js';
import { ResourceIdentifier } from './resource-identifier.js';
import { metadataPathOf, metadataUrlOf } from './well-known-url.js';

/** Publishes the metadata of this API and names its address in challenges. */
class ProtectedResource implements AuthExtension {
  readonly name = 'protectedResource';
  readonly answer = challengesNaming((refusal) => this.#urlFor(refusal));
  readonly accepted?: (call: AcceptedCall) => void;
  #shared;

  constructor(
    private readonly given: ResolvedProtectedResource,
    private readonly options: ResolvedAuthOptions,
    private readonly resource: ResourceIdentifier,
  ) {
    this.#shared = sharedMembers(given, options, []);
    if (given.mcp) this.accepted = (call) => setMcpAuth(call, resource);
  }

  addRoutes(httpAdapter: AbstractHttpAdapter): void {
    addMetadataRoutes(httpAdapter, (path, request) => this.#documentAt(path, request));
  }

  onApplicationBootstrap({ handlers }: ExtensionHost): void {
    this.#shared = sharedMembers(this.given, this.options, handlers);
  }

  #documentAt(path: string, request: object): RouteAnswer | undefined {
    const resource = this.resource.for(request);
    if (resource instanceof AuthError) return fault(resource);
    // Clients differ on whether a slash at the end of the resource is part of the path.
    if (withoutSlash(path) !== withoutSlash(metadataPathOf(resource))) return undefined;
    const headers = {
      'Content-Type': 'application/json',
      'Cache-Control': `public, max-age=${this.given.maxAge}`,
    };
    return { status: 200, headers, body: documentOf(resource.text, this.#shared) };
  }

  #urlFor({ credentials }: Refusal): string | undefined {
    const { isFixed } = this.resource;
    if (!isFixed && !credentials?.http) return undefined;
    const resource = this.resource.for(credentials?.http);
    // The refusal stands, without a pointer to what cannot be found.
    return resource instanceof AuthError ? undefined : metadataUrlOf(resource);
  }
}

/** @throws {AuthConfigurationError} without the options that it needs */
export function protectedResourceExtension({ options }: FeatureHost): AuthExtension {
  const { protectedResource, publicUrl } = options;
  const resource = protectedResource?.resource ?? publicUrl;
  if (!protectedResource || resource === undefined)
    throw new AuthConfigurationError('protectedResource needs the option publicUrl');
  return new ProtectedResource(protectedResource, options, new ResourceIdentifier(resource));
}

function fault(error: AuthError): RouteAnswer {
  const answer = answerTo(error, undefined);
  return { status: answer.status, headers: answer.headers, body: httpException(answer).getResponse() };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
