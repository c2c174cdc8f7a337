import { once } from 'node:events';
import { createServer } from 'node:http';
import { loadOidcProvider } from '../../../sample-app/provider/load-oidc-provider.js';
import { createSigningKey } from '../../../sample-app/provider/signing-key.js';

/** A certified OpenID provider for users, which any client may register with. */
export interface OpenidProvider extends AsyncDisposable {
  readonly issuer: string;
}

/** Starts it on loopback. @param scopes of its resources; the audience of a token is the resource that was asked for */
export async function startOpenidProvider(scopes: readonly string[]): Promise<OpenidProvider> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  const { Provider } = await loadOidcProvider();
  const provider = new Provider(issuer, {
    jwks: { keys: [await createSigningKey()] },
    scopes: [...scopes],
    cookies: { keys: ['a key of this test'] },
    features: {
      // Pages that take any login, which a script can fill in.
      devInteractions: { enabled: true },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          audience: resource,
          scope: scopes.join(' '),
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  });
  server.on('request', provider.callback());
  return {
    issuer,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * Does what a user does in a browser: follows the authorization request, logs in and consents.
 *
 * @returns the parameters of the redirect to the client
 */
export async function logIn(
  authorizationUrl: URL,
  redirectUri: string,
  login: string,
): Promise<URLSearchParams> {
  const cookies = new Map<string, string>();
  const visit = async (url: string, form?: Record<string, string>): Promise<Response> => {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    return response;
  };
  let url = authorizationUrl.href;
  for (let steps = 0; steps < 12; steps++) {
    if (url.startsWith(redirectUri)) return new URL(url).searchParams;
    let response = await visit(url);
    const page = response.status === 200 ? await response.text() : '';
    const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
    if (prompt) response = await visit(url, { prompt, login, password: 'any' });
    const next = response.headers.get('location');
    if (!next)
      throw new Error(`The provider answered ${response.status} at ${new URL(url).pathname}: ${page}`);
    url = new URL(next, url).href;
  }
  throw new Error('The provider redirects without end');
}
