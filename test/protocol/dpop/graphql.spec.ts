import { graphqlContext } from 'nestjs-resilient-auth/graphql';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { PUBLIC_URL } from '../../support/dpop/dpop-api.js';
import { useDpopIssuer } from '../../support/dpop/dpop-issuer.js';
import { graphServers, GraphApi } from '../../support/graphql/graph-api.js';

const ENDPOINT = `${PUBLIC_URL}/graphql`;
const NONCE = { secrets: ['a secret of the fleet'], lifetime: '10m' } as const;

describe.each(graphServers)('DPoP for GraphQL over HTTP with $server', (server) => {
  const clock = new ManualClock();
  const parties = useDpopIssuer(clock);

  const start = (dpop: object = {}) =>
    GraphApi.start(
      server,
      parties().issuer.options({ contexts: [graphqlContext()], publicUrl: PUBLIC_URL, dpop }),
      {
        clock,
      },
    );

  const headersFor = async (token: string, more: { nonce?: string; method?: string; url?: string } = {}) => ({
    ...(await parties().client.headers({ method: 'POST', url: ENDPOINT, token, ...more })),
  });

  it('[P3-13] accepts an operation of several fields with one proof', async () => {
    const api = await start();
    const token = await parties().client.sign({ sub: 'alice' });
    const { data, errors } = await api.send('{ a: me b: me c: me }', undefined, await headersFor(token));
    expect({ data, errors }).toEqual({
      data: { a: 'alice@alice', b: 'alice@alice', c: 'alice@alice' },
      errors: [],
    });
  });

  it('[P3-13] rejects an operation without a proof, with that of another method, and with one that comes again', async () => {
    const api = await start();
    const token = await parties().client.sign({ sub: 'alice' });
    const headers = await headersFor(token);
    const codesOf = async (sent: Record<string, string>) =>
      (await api.send('{ me }', undefined, sent)).errors.map(({ extensions }) => extensions['errorCode']);
    expect(await codesOf({ authorization: `DPoP ${token}` })).toEqual(['AUTH_PROOF_MISSING']);
    expect(await codesOf(await headersFor(token, { method: 'GET' }))).toEqual(['AUTH_PROOF_INVALID']);
    expect(await codesOf({ authorization: `Bearer ${token}` })).toEqual(['AUTH_TOKEN_SENDER_CONSTRAINED']);
    expect(await codesOf(headers)).toEqual([]);
    expect(await codesOf(headers)).toEqual(['AUTH_PROOF_REPLAYED']);
  });

  it('[P3-13] [P3-8] answers with the nonce in its header, and renews it with an answer that is accepted', async () => {
    const api = await start({ nonce: NONCE });
    const token = await parties().client.sign({ sub: 'alice' });
    const post = async (nonce?: string) =>
      api.post({ query: '{ me }' }, undefined, await headersFor(token, { nonce }));
    const first = await post();
    expect(first.body.errors[0].extensions.errorCode).toBe('AUTH_PROOF_NONCE_REQUIRED');
    expect(first.body.errors[0].extensions.statusCode).toBe(401);
    const nonce = first.headers['dpop-nonce'];
    expect(nonce).toMatch(/^[\w-]{43}$/);
    const second = await post(nonce);
    expect([second.body.data, second.headers['dpop-nonce']]).toEqual([{ me: 'alice@alice' }, undefined]);
    await clock.advance('5m');
    const third = await post(nonce);
    expect(third.body.data).toEqual({ me: 'alice@alice' });
    expect(third.headers['dpop-nonce']).toMatch(/^[\w-]{43}$/);
    expect(third.headers['dpop-nonce']).not.toBe(nonce);
    expect(third.headers['cache-control']).toContain('no-store');
  });
});
