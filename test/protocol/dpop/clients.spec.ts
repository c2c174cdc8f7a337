import { generateKeyPair, generateProof, type KeyPair } from 'dpop';
import * as oauth from 'oauth4webapi';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { ordersCli } from '../../../sample-app/provider/clients.js';
import { platforms } from '../../support/apps/platforms.js';
import { startClientApi } from '../../support/dpop/client-api.js';

const NONCE = { secrets: ['a secret of the fleet'] };
const INSECURE = { [oauth.allowInsecureRequests]: true };
const tokenAnswer = v.object({ access_token: v.string(), token_type: v.string() });

describe.each(platforms)('clients of a certified provider with DPoP, on $platform', ({ create }) => {
  it.each([
    ['without nonces', {}],
    ['with nonces', { nonce: NONCE }],
  ])('[P3-12] accepts oauth4webapi %s, from the token on', async (_, dpop) => {
    const { provider, url } = await startClientApi(create, dpop);
    const issuer = new URL(provider.issuer);
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, INSECURE),
    );
    const client: oauth.Client = { client_id: ordersCli.id };
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
    const granted = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(ordersCli.secret),
      { scope: 'orders:read' },
      { ...INSECURE, DPoP },
    );
    const token = await oauth.processClientCredentialsResponse(server, client, granted);
    expect(token.token_type).toBe('dpop');

    const call = (method: string): Promise<Response> =>
      oauth.protectedResourceRequest(
        token.access_token,
        method,
        new URL(`${url}/orders?page=1`),
        undefined,
        undefined,
        {
          ...INSECURE,
          DPoP,
        },
      );
    // As the library's documentation has it: once more with the nonce, when there is one to use.
    let retries = 0;
    const withRetry = (method: string): Promise<Response> =>
      call(method).catch((error: unknown) => {
        if (!oauth.isDPoPNonceError(error)) throw error;
        retries++;
        return call(method);
      });
    for (const [method, status] of [
      ['GET', 200],
      ['POST', 201],
      ['GET', 200],
    ] as const) {
      const response = await withRetry(method);
      expect(response.status).toBe(status);
      expect(await response.json()).toEqual({ client: ordersCli.id });
    }
    expect(retries).toBe('nonce' in dpop ? 1 : 0);
    // Its token is of no use as a bearer token.
    const bearer = await fetch(`${url}/orders`, {
      headers: { authorization: `Bearer ${token.access_token}` },
    });
    expect(bearer.status).toBe(401);
  });

  it.each(['ES256', 'Ed25519'] as const)(
    '[P3-12] accepts the proofs of the package dpop with %s, and asks for its nonce once',
    async (alg) => {
      const { provider, url } = await startClientApi(create, { nonce: NONCE });
      const keys = await generateKeyPair(alg);
      const token = await getBoundToken(provider.issuer, keys);
      const get = async (nonce?: string): Promise<Response> =>
        fetch(`${url}/orders`, {
          headers: {
            authorization: `DPoP ${token}`,
            dpop: await generateProof(keys, `${url}/orders`, 'GET', nonce, token),
          },
        });
      const first = await get();
      expect([first.status, first.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('error="use_dpop_nonce"'),
      ]);
      const nonce = first.headers.get('dpop-nonce') ?? undefined;
      for (let i = 0; i < 2; i++) expect((await get(nonce)).status).toBe(200);
    },
  );
});

/** Client credentials with a proof (RFC 9449 §5). The provider takes ES256 and Ed25519. */
async function getBoundToken(issuer: string, keys: KeyPair): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa(`${ordersCli.id}:${ordersCli.secret}`)}`,
      dpop: await generateProof(keys, `${issuer}/token`, 'POST'),
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read' }),
  });
  const answer: unknown = await response.json();
  const { access_token: token, token_type: type } = v.parse(tokenAnswer, answer);
  expect(type).toBe('DPoP');
  return token;
}
