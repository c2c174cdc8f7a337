import type { AcceptedCall } from '../authorized/contexts/accepted-call.js';
import { AuthError } from '../errors/auth.error.js';
import type { Claims } from '../token/unverified-token.js';
import type { ResourceIdentifier } from './resource-identifier.js';

/** `request.auth`, as transports of the Model Context Protocol hand it to tools: the `AuthInfo` of its SDK. */
export interface McpAuthInfo {
  /** As it was sent; never to be logged. */
  readonly token: string;
  /** `client_id` (RFC 9068 §2.2), or what the issuer has in its place: `azp`, `appid`, `cid`; else empty. */
  readonly clientId: string;
  readonly scopes: string[];
  /** In seconds since the epoch. */
  readonly expiresAt: number;
  /** The resource identifier. */
  readonly resource: URL;
}

/** OpenID Connect, Entra ID v1 and Okta, where RFC 9068's is missing. */
const CLIENT_CLAIMS = ['client_id', 'azp', 'appid', 'cid'] as const;

/** Sets `request.auth` of an accepted HTTP request. A transport gets Node's request, which Fastify keeps in `raw`. */
export function setMcpAuth(call: AcceptedCall, resource: ResourceIdentifier): void {
  const { http } = call.credentials;
  if (!http || call.context.getType() !== 'http') return;
  const found = resource.for(http);
  if (found instanceof AuthError) return;
  const auth = mcpAuthInfo(call, found.text);
  Object.assign(http, { auth });
  if (http.raw) Object.assign(http.raw, { auth });
}

function mcpAuthInfo({ token, rawToken }: AcceptedCall, resource: string): McpAuthInfo {
  const { claims, scopes } = token;
  return {
    token: rawToken,
    clientId: clientOf(claims),
    scopes: [...scopes],
    expiresAt: claims.exp,
    resource: new URL(resource),
  };
}

function clientOf(claims: Claims): string {
  for (const name of CLIENT_CLAIMS) {
    const value: unknown = claims[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}
