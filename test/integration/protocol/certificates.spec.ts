import { Agent } from 'node:https';
import { connect as tlsConnect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { Controller, Get } from '@nestjs/common';
import { AllowAnonymous, Authorized } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startIssuer } from '../../support/apps/start-api.js';
import { makeCertificate, type TestCertificate } from '../../support/tls/certificates.js';
import {
  getOver,
  startTlsApi,
  tlsPlatforms,
  type TlsApi,
  type TlsPlatform,
} from '../../support/tls/tls-api.js';

const alice = makeCertificate('alice');
const mallory = makeCertificate('mallory');
const MISMATCH = { status: 401, errorCode: 'AUTH_CERTIFICATE_MISMATCH' };

async function boot(platform: TlsPlatform, settings: object = {}) {
  const issuer = await startIssuer();
  const api = await startTlsApi(platform, issuer.options({ mtls: { from: 'socket' }, ...settings }));
  const tokenFor = (certificate?: TestCertificate, claims: object = {}) =>
    issuer.sign({
      sub: 'alice',
      ...(certificate && { cnf: { 'x5t#S256': certificate.thumbprint } }),
      ...claims,
    });
  return { issuer, api, tokenFor };
}

describe.each(tlsPlatforms)('a token that is bound to a certificate, on %s', (platform) => {
  it('[P4-1] accepts it from the connection with that certificate, and answers 401 invalid_token to any other', async () => {
    const { api, tokenFor } = await boot(platform);
    const token = await tokenFor(alice);
    expect(await api.get('/any', { token, certificate: alice })).toMatchObject({
      status: 200,
      text: 'alice',
    });
    for (const certificate of [undefined, mallory]) {
      const refused = await api.get('/any', { token, certificate });
      expect(refused).toMatchObject(MISMATCH);
      expect(refused.challenge).toMatch(/^Bearer error="invalid_token", error_description="[^"]+"$/);
      expect(refused.text).not.toContain(alice.thumbprint);
    }
  });

  it('[P4-5] rejects a cached token from a connection with another certificate, and accepts it again from its own', async () => {
    const { api, tokenFor } = await boot(platform);
    const token = await tokenFor(alice);
    for (const [certificate, status] of [
      [alice, 200],
      [mallory, 401],
      [alice, 200],
      [undefined, 401],
    ] as const)
      expect((await api.get('/any', { token, certificate })).status).toBe(status);
  });

  it('[P4-1] accepts a token without a binding, unless the route requires one', async () => {
    const { api, tokenFor } = await boot(platform);
    const token = await tokenFor();
    expect((await api.get('/any', { token })).status).toBe(200);
    expect((await api.get('/any', { token, certificate: mallory })).status).toBe(200);
    expect(await api.get('/bound', { token, certificate: alice })).toMatchObject(MISMATCH);
    const bound = await tokenFor(alice);
    expect((await api.get('/bound', { token: bound, certificate: alice })).status).toBe(200);
    expect(await api.get('/bound', { token: bound, certificate: mallory })).toMatchObject(MISMATCH);
  });

  it.each([
    null,
    7,
    '',
    [alice.thumbprint],
    { a: 1 },
    `${alice.thumbprint}=`,
    alice.thumbprint.toLowerCase(),
  ])('[P4-1] rejects a binding that is not the thumbprint itself: %j', async (thumbprint) => {
    const { api, tokenFor } = await boot(platform);
    const token = await tokenFor(undefined, { cnf: { 'x5t#S256': thumbprint } });
    expect(await api.get('/any', { token, certificate: alice })).toMatchObject(MISMATCH);
    expect(await api.get('/bound', { token, certificate: alice })).toMatchObject(MISMATCH);
  });

  it('[P4-4] rejects a token for its own faults with any certificate', async () => {
    const { issuer, api, tokenFor } = await boot(platform);
    const cnf = { 'x5t#S256': alice.thumbprint };
    const expired = await issuer.sign({ cnf }, { expiresIn: '-1h' });
    const foreign = await (await startIssuer()).sign({ cnf, iss: issuer.url });
    const other = await tokenFor(alice, { aud: 'another' });
    for (const [token, errorCode] of [
      [expired, 'AUTH_TOKEN_EXPIRED'],
      [foreign, 'AUTH_TOKEN_SIGNATURE_INVALID'],
      [other, 'AUTH_TOKEN_AUDIENCE_MISMATCH'],
    ] as const)
      for (const certificate of [alice, mallory, undefined])
        expect(await api.get('/any', { token, certificate })).toMatchObject({ status: 401, errorCode });
  });
});

describe('TLS sessions that are resumed', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '[P4-4] answers 401 when a %s session that began without a certificate is resumed with one',
    async (version) => {
      const { api, tokenFor } = await boot('Express');
      const token = await tokenFor(alice);
      const session = await ticketFrom(api, version, undefined);
      const resumed = await exchange(api, version, token, alice, session);
      expect(resumed).toEqual({ isReused: true, status: 401 });
      expect(await exchange(api, version, token, alice)).toEqual({ isReused: false, status: 200 });
    },
  );

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    '[P4-4] answers 401 when a %s session is resumed with another certificate than it began with',
    async (version) => {
      const { api, tokenFor } = await boot('Express');
      const session = await ticketFrom(api, version, mallory);
      const token = await tokenFor(alice);
      expect(await exchange(api, version, token, alice, session)).toEqual({ isReused: true, status: 401 });
    },
  );

  it('[P4-5] checks each request of a connection that is kept alive', async () => {
    const { api, tokenFor } = await boot('Express');
    const agent = new Agent({ keepAlive: true, maxSockets: 1, key: mallory.key, cert: mallory.cert });
    const own = await tokenFor(mallory);
    expect((await api.get('/any', { token: own, agent })).status).toBe(200);
    expect(await api.get('/any', { token: await tokenFor(alice), agent })).toMatchObject(MISMATCH);
    expect((await api.get('/any', { token: own, agent })).status).toBe(200);
    agent.destroy();
  });

  it('[P4-5] checks each stream of an HTTP/2 connection', async () => {
    const { api, tokenFor } = await boot('Fastify over HTTP/2');
    const session = api.connect(alice);
    const get = async (token: string) =>
      (await getOver(session, '/any', { authorization: `Bearer ${token}` })).status;
    const [own, other] = await Promise.all([tokenFor(alice), tokenFor(mallory)]);
    expect(await Promise.all([get(own), get(other), get(own), get(other)])).toEqual([200, 401, 200, 401]);
    session.close();
  });
});

describe('@Authorized({ certificateBound: true })', () => {
  it('[P4-1] fails the boot when mtls is not named, and says on which handlers', async () => {
    const issuer = await startIssuer();
    await expect(startTlsApi('Express', issuer.options())).rejects.toThrow(
      /BoundController\.bound requires certificateBound, which no token can meet without the option mtls/,
    );
  });

  it('[P4-1] boots without mtls when no handler requires it, and refuses bound tokens', async () => {
    @Authorized({ certificateBound: false })
    @Controller()
    class PlainController {
      @Get('any')
      any(): string {
        return 'any';
      }

      @AllowAnonymous()
      @Get('open')
      open(): string {
        return 'open';
      }
    }
    const issuer = await startIssuer();
    const api = await startTlsApi('Express', issuer.options(), [PlainController]);
    const cnf = { 'x5t#S256': alice.thumbprint };
    expect((await api.get('/any', { token: await issuer.sign() })).status).toBe(200);
    expect(await api.get('/any', { token: await issuer.sign({ cnf }), certificate: alice })).toMatchObject({
      status: 401,
      errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED',
    });
  });

  it.each(['{"certificateBound":1}', '{"certificateBound":null}', '{"certificateBound":"true"}'])(
    '[P4-1] throws at decoration when its value is no boolean: %s',
    (options) => {
      expect(() => Authorized(JSON.parse(options))).toThrow(/certificateBound \}\) takes true or false/);
    },
  );

  it('[P4-1] throws at decoration when it stands with optional', () => {
    expect(() => Authorized({ certificateBound: true, optional: true })).toThrow(/cannot stand/);
  });
});

describe('members of cnf', () => {
  it('[P4-1] rejects a token that is also bound to a key, which no check proves', async () => {
    const { api, tokenFor } = await boot('Express');
    const cnf = { 'x5t#S256': alice.thumbprint, jkt: 'x' };
    const token = await tokenFor(undefined, { cnf });
    expect(await api.get('/any', { token, certificate: alice })).toMatchObject({
      status: 401,
      errorCode: 'AUTH_TOKEN_SENDER_CONSTRAINED',
    });
  });
});

/** Opens a connection, makes one request, and waits for what resumes it. */
async function ticketFrom(
  api: TlsApi,
  version: 'TLSv1.2' | 'TLSv1.3',
  certificate: TestCertificate | undefined,
): Promise<Buffer> {
  const socket = await open(api, version, certificate);
  const ticket = new Promise<Buffer>((resolve) => socket.once('session', resolve));
  socket.write('GET /any HTTP/1.1\r\nHost: a\r\n\r\n');
  const session = version === 'TLSv1.2' ? (socket.getSession() ?? (await ticket)) : await ticket;
  socket.destroy();
  return session;
}

async function exchange(
  api: TlsApi,
  version: 'TLSv1.2' | 'TLSv1.3',
  token: string,
  certificate: TestCertificate,
  session?: Buffer,
): Promise<{ isReused: boolean; status: number }> {
  const socket = await open(api, version, certificate, session);
  const head = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
  socket.write(`GET /any HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  const status = Number((await head).split(' ')[1]);
  const isReused = socket.isSessionReused();
  socket.destroy();
  return { isReused, status };
}

function open(
  { port }: TlsApi,
  version: 'TLSv1.2' | 'TLSv1.3',
  certificate: TestCertificate | undefined,
  session?: Buffer,
): Promise<TLSSocket> {
  const options: ConnectionOptions = {
    host: '127.0.0.1',
    port,
    minVersion: version,
    maxVersion: version,
    rejectUnauthorized: false,
    ...(certificate && { key: certificate.key, cert: certificate.cert }),
    ...(session && { session }),
  };
  return new Promise((resolve, reject) => {
    const socket = tlsConnect(options, () => resolve(socket));
    socket.once('error', reject);
  });
}
