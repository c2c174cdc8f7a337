import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { issuerAndApi, startApi, startIssuer } from '../support/apps/start-api.js';
import { platforms } from '../support/apps/platforms.js';

describe.each(platforms)('answers on $platform', ({ create }) => {
  it('answers 200 and passes user and token to the handler', async () => {
    const { issuer, api } = await issuerAndApi(create, { name: 'main' });
    const token = await issuer.sign({ sub: 'alice', scope: 'a b', roles: ['admin'] });
    await api.get('/orders', token).expect(200, { subject: 'alice' });
    await api
      .get('/orders/token', token)
      .expect(200, { issuer: 'main', scopes: ['a', 'b'], roles: ['admin'], alg: 'ES256', sub: 'alice' });
  });

  it('answers 401 without an error code when no credentials were sent', async () => {
    const { api } = await issuerAndApi(create, { realm: 'orders' });
    const { body, headers } = await api.get('/orders').expect(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="orders"');
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual({
      statusCode: 401,
      error: 'Unauthorized',
      message: 'Authentication is required',
      errorCode: 'AUTH_TOKEN_MISSING',
    });
    await api
      .get('/orders')
      .set('Authorization', 'Basic YTpi')
      .expect('WWW-Authenticate', 'Bearer realm="orders"')
      .expect(401);
  });

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Bearer  a  b'])(
    'answers 400 when the header is "%s"',
    async (header) => {
      const { api } = await issuerAndApi(create);
      const { body, headers } = await api.get('/orders').set('Authorization', header).expect(400);
      expect(headers['www-authenticate']).toContain('error="invalid_request"');
      expect(body.errorCode).toBe('AUTH_REQUEST_INVALID');
    },
  );

  it('answers 400 when there are two Authorization headers', async () => {
    const { issuer, api } = await issuerAndApi(create);
    await api.app.listen(0, '127.0.0.1');
    const { port }: AddressInfo = api.app.getHttpServer().address();
    const line = `Authorization: Bearer ${await issuer.sign()}\r\n`;
    const answer = await exchange(
      port,
      `GET /orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${line}${line}\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('AUTH_REQUEST_INVALID');
  });

  it('answers 401 with a fixed description, and nothing of the token, when the token is bad', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const token = await issuer.sign(
      { sub: 'mallory"\r\nX-Evil: 1' },
      { expiresIn: '-1h', header: { kid: 'evil"kid' } },
    );
    const { body, headers, text } = await api.get('/orders', token).expect(401);
    expect(headers['www-authenticate']).toBe(
      'Bearer error="invalid_token", error_description="The access token has expired"',
    );
    expect(body.errorCode).toBe('AUTH_TOKEN_EXPIRED');
    expect(text + JSON.stringify(headers)).not.toMatch(/mallory|evil/i);
  });

  it('answers 503 with Retry-After when the token could not be checked', async () => {
    const issuer = await startIssuer();
    issuer.fail({ endpoint: 'all', mode: 'refuse' });
    const api = await startApi(create, issuer.options());
    const { body, headers } = await api.get('/orders', await issuer.sign()).expect(503);
    // After the failure at the start and this one, a wait of one to two seconds.
    expect(headers['retry-after']).toMatch(/^[12]$/);
    expect(headers['www-authenticate']).toBeUndefined();
    expect(body.errorCode).toBe('AUTH_METADATA_UNAVAILABLE');
    expect(JSON.stringify(body)).not.toContain(issuer.url);
  });

  it('answers 503 for an unknown key while the issuer is down, and 200 for a known one', async () => {
    const { issuer, api } = await issuerAndApi(create);
    issuer.fail({ endpoint: 'all', mode: { status: 503, retryAfter: 5 } });
    await api.get('/orders', await issuer.sign()).expect(200);
    await issuer.rotateKeys();
    await api
      .get('/orders', await issuer.sign())
      .expect(503)
      .expect('Retry-After', '5');
  });

  it('answers 403 with all of the scopes needed when one is missing', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const { body, headers } = await api
      .post('/orders', await issuer.sign({ scope: 'orders:read' }))
      .expect(403);
    expect(headers['www-authenticate']).toBe(
      'Bearer error="insufficient_scope", scope="orders:read orders:write"',
    );
    expect(body.errorCode).toBe('AUTH_SCOPE_MISSING');
    await api.post('/orders', await issuer.sign({ scope: 'orders:write orders:read' })).expect(201);
  });

  it('answers 403 without a challenge when a role is missing or a policy refuses', async () => {
    const { issuer, api } = await issuerAndApi(create);
    const clerk = await issuer.sign({ sub: 'bob', roles: ['clerk'], tenant: 'a' });
    for (const [path, errorCode] of [
      ['/orders/audit', 'AUTH_ROLE_MISSING'],
      ['/orders/of/alice', 'AUTH_POLICY_REFUSED'],
      ['/orders/alice', 'AUTH_POLICY_REFUSED'],
      ['/orders/tenant', 'AUTH_POLICY_REFUSED'],
    ] as const) {
      const { body, headers } = await api.get(path, clerk).expect(403);
      expect(headers['www-authenticate']).toBeUndefined();
      expect(body.errorCode).toBe(errorCode);
    }
    await api.get('/orders/audit', await issuer.sign({ roles: ['auditor'] })).expect(200);
    await api.get('/orders/of/bob', clerk).expect(200);
    await api.get('/orders/alice', await issuer.sign({ sub: 'alice' })).expect(200);
    await api.get('/orders/tenant', clerk).set('x-tenant', 'a').expect(200);
  });

  it('sets no user on an anonymous route, with any token', async () => {
    const { issuer, api } = await issuerAndApi(create);
    await api.get('/orders/open', await issuer.sign()).expect(200, { user: null, token: null });
    await api.get('/orders/open', 'junk').expect(200);
  });
});

/** One raw exchange: supertest and fetch would not send such a request. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(request));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('end', () => resolve(answer)).on('error', reject);
  });
}
