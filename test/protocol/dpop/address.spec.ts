import { describe, expect, it } from 'vitest';
import { platforms } from '../../support/apps/platforms.js';
import { exchange } from '../../support/apps/raw-exchange.js';
import { PUBLIC_URL, startDpopApi, useDpopApi } from '../../support/dpop/dpop-api.js';

const INVALID = { status: 401, code: 'AUTH_PROOF_INVALID' };
/** Where the answer has no body. */
const REFUSED = {
  status: 401,
  challenge: expect.stringMatching(/^DPoP error="invalid_dpop_proof", /),
};

describe.each(platforms)('htm and htu of a proof, on $platform', ({ create }) => {
  const api = useDpopApi({}, { create });

  it.each(['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD'])(
    '[P3-4] accepts the method %s exactly as it is, and no other',
    async (method) => {
      expect((await api().send({ method })).status).toBe(200);
      const others = ['GET', 'POST', method.toLowerCase(), ` ${method}`, '*'].filter(
        (other) => other !== method,
      );
      for (const htm of others) {
        const { status, headers } = await api().send({ method, claims: { htm } });
        expect({ status, challenge: headers['www-authenticate'] }).toEqual(REFUSED);
      }
    },
  );

  it.each([
    ['as it is', `${PUBLIC_URL}/things`],
    ['with a query', `${PUBLIC_URL}/things?a=b`],
    ['with a fragment', `${PUBLIC_URL}/things#a`],
    ['with an empty query', `${PUBLIC_URL}/things?`],
    ['with the host in upper case', 'https://API.Example.COM/things'],
    ['with the scheme in upper case', 'HTTPS://api.example.com/things'],
    ['with the default port', 'https://api.example.com:443/things'],
    ['with an empty port', 'https://api.example.com:/things'],
    ['with an unreserved character encoded', `${PUBLIC_URL}/%74hing%73`],
    ['with dot segments', `${PUBLIC_URL}/x/../things`],
    ['with a dot segment', `${PUBLIC_URL}/./things`],
  ])('[P3-4] accepts an htu %s', async (_, htu) => {
    expect(await api().outcome({ claims: { htu } })).toMatchObject({ status: 200 });
  });

  it.each([
    ['of another path', `${PUBLIC_URL}/other`],
    ['with a slash more', `${PUBLIC_URL}/things/`],
    ['with two slashes', `${PUBLIC_URL}//things`],
    ['with the path in another case', `${PUBLIC_URL}/Things`],
    ['without path', PUBLIC_URL],
    ['of another host', 'https://api.example.org/things'],
    ['of a host below', 'https://x.api.example.com/things'],
    ['of a host that begins alike', 'https://api.example.com.evil.example/things'],
    ['of another port', 'https://api.example.com:8443/things'],
    ['of plain http', 'http://api.example.com/things'],
    ['of a WebSocket', 'wss://api.example.com/things'],
    ['with a user', 'https://user@api.example.com/things'],
    ['with a user and a password', 'https://a:b@api.example.com/things'],
    ['with an empty user', 'https://@api.example.com/things'],
    ['with the host as user', 'https://api.example.com@evil.example/things'],
    ['that is relative', '/things'],
    ['without scheme', '//api.example.com/things'],
    ['without slashes', 'https:api.example.com/things'],
    ['with three slashes', 'https:///api.example.com/things'],
    ['with backslashes', 'https:\\\\api.example.com\\things'],
    ['with a backslash in the path', `${PUBLIC_URL}\\things`],
    ['with a space in front', ` ${PUBLIC_URL}/things`],
    ['with a tab inside', `${PUBLIC_URL}/thi\tngs`],
    ['with a line break at the end', `${PUBLIC_URL}/things\n`],
    ['with a slash encoded', `${PUBLIC_URL}%2Fthings`],
    ['with a broken encoding', `${PUBLIC_URL}/things%`],
    ['with a character beyond ASCII in the host', 'https://api.exаmple.com/things'],
    ['of where the server listens', 'http://127.0.0.1/things'],
  ])('[P3-4] rejects an htu %s', async (_, htu) => {
    expect(await api().outcome({ claims: { htu } })).toMatchObject(INVALID);
  });

  it('[P3-4] accepts a target with a query, whose htu has none or another', async () => {
    for (const htu of [`${PUBLIC_URL}/things`, `${PUBLIC_URL}/things?other`])
      expect(await api().outcome({ target: '/things?a=b&c=//x', claims: { htu } })).toMatchObject({
        status: 200,
      });
  });

  it('[P3-4] compares a path with encoded characters by their meaning, and its case', async () => {
    const accepted = { status: 200 };
    const at = (target: string, path: string) => api().outcome({ target, url: `${PUBLIC_URL}${path}` });
    expect(await at('/Things/%41%2fb', '/Things/A%2Fb')).toMatchObject(accepted);
    expect(await at('/Things/~a', '/Things/%7ea')).toMatchObject(accepted);
    expect(await at('/Things/a%2Fb', '/Things/a/b')).toMatchObject(INVALID);
    expect(await at('/Things/a', '/Things/A')).toMatchObject(INVALID);
    expect(await at('/Things/a+b', '/Things/a%20b')).toMatchObject(INVALID);
  });

  it('[P3-4] [P0-1] ignores Host and X-Forwarded-*', async () => {
    const headers = {
      Host: 'evil.example',
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'http',
      Forwarded: 'host=evil.example',
    };
    expect(await api().outcome({ headers })).toMatchObject({ status: 200 });
    expect(await api().outcome({ headers, url: 'https://evil.example/things' })).toMatchObject(INVALID);
  });

  const REFUSED_401 = ['401', 'AUTH_PROOF_INVALID'] as const;

  it.each([
    ['an absolute target', 'http://evil.example/things', 'http://evil.example/things', ...REFUSED_401],
    ['an absolute target of the API itself', `${PUBLIC_URL}/things`, `${PUBLIC_URL}/things`, ...REFUSED_401],
    // No route begins like this, so that no guard runs.
    [
      'two slashes in front of another host',
      '//evil.example/things',
      'https://evil.example/things',
      '404',
      undefined,
    ],
    ['dot segments', '/tree/a/../../things', `${PUBLIC_URL}/things`, ...REFUSED_401],
    ['dot segments that are encoded', '/tree/%2e%2E/things', `${PUBLIC_URL}/things`, ...REFUSED_401],
    ['a backslash', '/tree/\\..\\things', `${PUBLIC_URL}/things`, ...REFUSED_401],
  ])('[P3-4] rejects a request with %s', async (_, target, htu, status, code) => {
    const token = await api().token();
    const proof = await api().client.proof({ url: htu, token });
    const answer = await exchange(api().app, [
      `GET ${target} HTTP/1.1`,
      `Authorization: DPoP ${token}`,
      `DPoP: ${proof}`,
    ]);
    expect(/^HTTP\/1\.1 (\d+) /.exec(answer)?.[1]).toBe(status);
    expect(/"errorCode":"(\w+)"/.exec(answer)?.[1]).toBe(code);
  });

  it.each(['/v1', '/v1/'])(
    '[P3-4] accepts the path of publicUrl %s, which a proxy takes away from the request or leaves on it',
    async (path) => {
      const behind = await startDpopApi({}, { create, publicUrl: `${PUBLIC_URL}${path}` });
      for (const target of ['/things', '/v1/things']) {
        const url = `${PUBLIC_URL}/v1/things`;
        const expected = target === '/things' ? 200 : 404;
        expect((await behind.send({ target, url })).status).toBe(expected);
      }
      expect(await behind.outcome({ url: `${PUBLIC_URL}/things` })).toMatchObject(INVALID);
    },
  );

  it('[P3-4] [P0-1] calls the function publicUrl with the request', async () => {
    const hosts = new Map([
      ['a', 'https://a.example'],
      ['b', 'https://b.example/base'],
    ]);
    const publicUrl = (request: unknown): URL => {
      const { headers } = Object(request);
      return new URL(hosts.get(headers['x-tenant']) ?? PUBLIC_URL);
    };
    const several = await startDpopApi({}, { create, publicUrl });
    const at = (tenant: string, url: string) => several.outcome({ headers: { 'x-tenant': tenant }, url });
    expect(await at('a', 'https://a.example/things')).toMatchObject({ status: 200 });
    expect(await at('b', 'https://b.example/base/things')).toMatchObject({ status: 200 });
    expect(await at('b', 'https://a.example/things')).toMatchObject(INVALID);
  });
});
