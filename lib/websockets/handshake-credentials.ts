import { asBearer, authorizationAmong } from '../authentication/bearer-token.js';
import type { Credentials, HttpRequestLike } from '../authentication/credentials.js';
import { HttpCredentials } from '../authentication/http-credentials.js';

/** What a client sends before a WebSocket is open. */
export interface Handshake {
  /** The upgrade request, or the first polling request of socket.io. */
  readonly upgrade: HttpRequestLike & { readonly headers?: Readonly<Record<string, unknown>> };
  /** `auth` of a socket.io client; `ws` has none. */
  readonly auth?: unknown;
}

/**
 * The credentials of a handshake: `auth.token`, where the scheme may be left out, the `Authorization` header and, when
 * asked for, the subprotocol `bearer.<token>`. Never the query string, which ends in logs.
 */
export function handshakeCredentials({ upgrade, auth }: Handshake, fromProtocol: boolean): Credentials {
  const authorization = authorizationAmong([
    asBearer(memberOf(auth, 'token')),
    new HttpCredentials(upgrade).authorization,
    fromProtocol ? protocolToken(upgrade.headers?.['sec-websocket-protocol']) : undefined,
  ]);
  return { authorization, request: upgrade, upgrade };
}

const PROTOCOL = 'bearer.';

/** Browsers cannot set headers on a WebSocket, only subprotocols; the server must choose another one in its answer. */
function protocolToken(header: unknown): unknown {
  if (typeof header !== 'string') return undefined;
  const offered = header.split(',').map((name) => name.trim());
  const tokens = offered
    .filter((name) => name.startsWith(PROTOCOL))
    .map((name) => name.slice(PROTOCOL.length));
  return tokens.length > 1 ? tokens : asBearer(tokens[0]);
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}
