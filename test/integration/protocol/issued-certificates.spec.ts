import { createPublicKey } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer, request, type ServerOptions } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { TLSSocket } from 'node:tls';
import { nothingStored } from '../../../sample-app/provider/provider-configuration.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadOidcProvider } from '../../../sample-app/provider/load-oidc-provider.js';
import { makeSigner } from '../../support/issuers/signer.js';
import { makeCertificate, type TestCertificate } from '../../support/tls/certificates.js';
import { startTlsApi } from '../../support/tls/tls-api.js';

const alice = makeCertificate('alice');
const mallory = makeCertificate('mallory');
const AUDIENCE = 'https://orders.example';

describe('a token that oidc-provider binds to a certificate', () => {
  it('[P4-1] accepts it from the client that it was issued to, and from no other', async () => {
    const { issuer, tokenFor } = await startProvider();
    const api = await startTlsApi('Express', {
      issuer,
      audience: AUDIENCE,
      metadata: { requireHttps: false },
      mtls: { from: 'socket' },
    });
    const token = await tokenFor(alice);
    expect((await api.get('/bound', { token, certificate: alice })).status).toBe(200);
    for (const certificate of [mallory, undefined])
      expect(await api.get('/bound', { token, certificate })).toMatchObject({
        status: 401,
        errorCode: 'AUTH_CERTIFICATE_MISMATCH',
      });
  });
});

/** A provider with mutual TLS at its token endpoint, and one client whose certificate is self-signed. */
async function startProvider(): Promise<{
  issuer: string;
  tokenFor: (certificate: TestCertificate) => Promise<string>;
}> {
  const { default: Provider } = await loadOidcProvider();
  const plain = createHttpServer();
  const issuer = `http://127.0.0.1:${await portOf(plain)}`;
  const { privateKey, kid } = makeSigner('ES256');
  const provider = new Provider(issuer, {
    adapter: () => nothingStored,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] },
    clients: [
      {
        client_id: 'alice',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        id_token_signed_response_alg: 'ES256',
        token_endpoint_auth_method: 'self_signed_tls_client_auth',
        tls_client_certificate_bound_access_tokens: true,
        jwks: { keys: [clientJwk(alice)] },
      },
    ],
    clientAuthMethods: ['self_signed_tls_client_auth'],
    responseTypes: [],
    ttl: { ClientCredentials: 600 },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: ({ socket }) =>
          socket instanceof TLSSocket ? socket.getPeerX509Certificate()?.toString() : undefined,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: () => ({
          audience: AUDIENCE,
          scope: '',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  });
  const handle = provider.callback();
  plain.on('request', (req, res) => void handle(req, res));
  const own = makeCertificate('localhost');
  const options: ServerOptions = {
    key: own.key,
    cert: own.cert,
    requestCert: true,
    rejectUnauthorized: false,
  };
  const port = await portOf(createHttpsServer(options, (req, res) => void handle(req, res)));
  return { issuer, tokenFor: (certificate) => askForToken(port, certificate) };
}

async function askForToken(port: number, { key, cert }: TestCertificate): Promise<string> {
  const body = 'grant_type=client_credentials&client_id=alice';
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': body.length };
  const where = { host: '127.0.0.1', port, path: '/token', method: 'POST', agent: false } as const;
  const text = await new Promise<string>((resolve, reject) => {
    request({ ...where, headers, key, cert, rejectUnauthorized: false }, (response) => {
      let received = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
      response.once('end', () => resolve(received));
    })
      .once('error', reject)
      .end(body);
  });
  const { access_token: token }: { access_token?: unknown } = JSON.parse(text);
  if (typeof token !== 'string') throw new Error(text);
  return token;
}

/** RFC 8705 §2.2.2: the client registers its certificate as a key with `x5c`. */
function clientJwk({ cert, der, thumbprint }: TestCertificate): object {
  const jwk = createPublicKey(cert).export({ format: 'jwk' });
  return { ...jwk, kid: 'alice', use: 'sig', x5c: [der.toString('base64')], 'x5t#S256': thumbprint };
}

function portOf(server: Server): Promise<number> {
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port }: AddressInfo = Object(server.address());
      resolve(port);
    });
  });
}
