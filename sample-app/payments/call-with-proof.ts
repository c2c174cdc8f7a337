import { generateKeyPair, generateProof } from 'dpop';
import { ordersCli } from '../provider/clients.js';
import { getToken } from '../provider/get-token.js';

/** Requests a token that is bound to the key (RFC 9449 §5), and calls the route with it; returns status and body. */
export async function callWithProof(api: string, provider: string): Promise<string> {
  const keys = await generateKeyPair('ES256');
  const proofOfKey = await generateProof(keys, `${provider}/token`, 'POST');
  const token = await getToken(provider, ordersCli, ['orders:read'], proofOfKey);
  const address = `${api}/payments`;
  const headers = {
    Authorization: `DPoP ${token}`,
    DPoP: await generateProof(keys, address, 'GET', undefined, token),
  };
  const response = await fetch(address, { headers });
  return `${response.status} ${await response.text()}`;
}
