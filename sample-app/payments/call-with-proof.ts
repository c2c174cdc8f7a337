import { generateKeyPair, generateProof } from 'dpop';
import * as v from 'valibot';
import { ordersCli } from '../provider/clients.js';

/** Requests a token that is bound to the key (RFC 9449 §5), and calls the route with it; returns status and body. */
export async function callWithProof(api: string, provider: string): Promise<string> {
  const keys = await generateKeyPair('ES256');
  const granted = await fetch(`${provider}/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${btoa(`${ordersCli.id}:${ordersCli.secret}`)}`,
      DPoP: await generateProof(keys, `${provider}/token`, 'POST'),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read' }),
  });
  const answer = v.object({ access_token: v.string() });
  const { access_token: token } = v.parse(answer, await granted.json());
  const address = `${api}/payments`;
  const headers = {
    Authorization: `DPoP ${token}`,
    DPoP: await generateProof(keys, address, 'GET', undefined, token),
  };
  const response = await fetch(address, { headers });
  return `${response.status} ${await response.text()}`;
}
