import * as v from 'valibot';
import { scopes } from './clients.js';
import type { DemoClient } from './clients.js';

const tokenAnswer = v.object({ access_token: v.string() });

/**
 * Asks the provider for an access token by client credentials (RFC 6749 §4.4), as any client would.
 *
 * @param proof binds the token to the key that has signed it (RFC 9449 §5)
 */
export async function getToken(
  issuer: string,
  client: DemoClient,
  scope = scopes,
  proof?: string,
): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${btoa(`${client.id}:${client.secret}`)}`,
      ...(proof !== undefined && { DPoP: proof }),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: scope.join(' ') }),
  });
  return v.parse(tokenAnswer, await response.json()).access_token;
}
