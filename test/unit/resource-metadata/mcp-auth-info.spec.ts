import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { describe, expect, it } from 'vitest';
import type { HttpRequestLike } from '../../../lib/authentication/credentials.js';
import { setMcpAuth } from '../../../lib/resource-metadata/mcp-auth-info.js';
import { ResourceIdentifier } from '../../../lib/resource-metadata/resource-identifier.js';

const resource = new ResourceIdentifier('https://api.test');
const claims = { iss: 'https://issuer.test', exp: 1_800_000_000, client_id: 'c' };
const token = { claims, header: { alg: 'ES256' }, issuer: 'i', scopes: ['a'], roles: [], user: claims };

/** What is set on the request of a call of this type. */
function authOf(type: string): unknown {
  const http: HttpRequestLike & { auth?: unknown } = {};
  const context = new ExecutionContextHost([http]);
  context.setType(type);
  setMcpAuth(
    { token, rawToken: 't', context, credentials: { authorization: 'Bearer t', request: http, http } },
    resource,
  );
  return http.auth;
}

describe('setMcpAuth', () => {
  it('[P1-8] sets auth on the request of a call of the type http', () => {
    expect(authOf('http')).toEqual({
      token: 't',
      clientId: 'c',
      scopes: ['a'],
      expiresAt: 1_800_000_000,
      resource: new URL('https://api.test'),
    });
  });

  it.each(['graphql', 'ws', 'rpc'])('[P1-8] sets nothing on the request of a call of the type %s', (type) => {
    expect(authOf(type)).toBeUndefined();
  });
});
