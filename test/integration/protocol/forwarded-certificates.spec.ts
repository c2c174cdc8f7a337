import type { CertificateHeaderPreset, HeaderCertificateOptions } from 'nestjs-resilient-auth';
import { decodeBase64Der, decodeEscapedPem } from 'nestjs-resilient-auth/sender-constrained';
import { describe, expect, it } from 'vitest';
import { exchange } from '../../support/apps/raw-exchange.js';
import { platforms, type CreateApplication } from '../../support/apps/platforms.js';
import { startApi, startIssuer } from '../../support/apps/start-api.js';
import { makeCertificate, pemOf } from '../../support/tls/certificates.js';
import { forwarded, proxyHeaders } from '../../support/tls/forwarded-certificates.js';
import { BoundController } from '../../support/tls/tls-api.js';

const LOOPBACK = ['127.0.0.1', '::1'];
const PRESETS: readonly CertificateHeaderPreset[] = [
  'rfc9440',
  'nginx',
  'envoy',
  'aws-alb',
  'traefik',
  'cloudflare',
];
const other = makeCertificate('other');
const byteSequence = (der: Buffer): string => `:${der.toString('base64')}:`;
const own = Buffer.from(proxyHeaders.cloudflare['Cf-Client-Cert-Der-Base64'] ?? '', 'base64');

async function boot(
  options: Partial<HeaderCertificateOptions>,
  create: CreateApplication = platforms[0].create,
) {
  const issuer = await startIssuer();
  const mtls = { from: 'header', preset: 'rfc9440', trustedProxies: LOOPBACK, ...options } as const;
  const api = await startApi(create, issuer.options({ mtls }), { controllers: [BoundController] });
  const bound = { sub: 'alice', cnf: { 'x5t#S256': forwarded.thumbprint } };
  const get = async (headers: Readonly<Record<string, string>>, claims: object = bound, path = '/any') => {
    const { status, body } = await api.get(path, await issuer.sign({ ...claims })).set(headers);
    return status === 200 ? 200 : `${status} ${body.errorCode}`;
  };
  return { issuer, api, get };
}

const MISMATCH = '401 AUTH_CERTIFICATE_MISMATCH';

describe.each(platforms)('a certificate in a header, on $platform', ({ create }) => {
  it.each(PRESETS)(
    '[P4-3] accepts the token of the certificate that a proxy passes on, and no other: %s',
    async (preset) => {
      const { get } = await boot({ preset }, create);
      const headers = proxyHeaders[preset];
      expect(await get(headers)).toBe(200);
      expect(await get(headers, undefined, '/bound')).toBe(200);
      expect(await get({})).toBe(MISMATCH);
      expect(await get(headers, { cnf: { 'x5t#S256': other.thumbprint } })).toBe(MISMATCH);
      for (const another of PRESETS.filter((name) => name !== preset))
        expect(await get(proxyHeaders[another])).toBe(MISMATCH);
    },
  );

  it('[P4-2] ignores the header of a sender that is no trusted proxy', async () => {
    const headers = { ...proxyHeaders.rfc9440, 'X-Forwarded-For': '10.0.0.1', Forwarded: 'for=10.0.0.1' };
    const { get } = await boot({ trustedProxies: ['10.0.0.0/8', '2001:db8::/32'] }, create);
    expect(await get(headers)).toBe(MISMATCH);
    expect(await get(headers, { sub: 'alice' })).toBe(200);
    // Not even its repetition counts.
    expect(await getTwice({ trustedProxies: ['10.0.0.0/8'] })).toContain('AUTH_CERTIFICATE_MISMATCH');
  });

  it('[P4-2] answers 400 when the header comes twice, and reads it for bound tokens only', async () => {
    const answer = await getTwice({});
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('AUTH_REQUEST_INVALID');
    expect(await getTwice({}, { sub: 'alice' })).toMatch(/^HTTP\/1.1 200 /);
  });

  it('[P4-5] rejects a cached token with the header of another certificate', async () => {
    const { issuer, api } = await boot({}, create);
    const token = await issuer.sign({ cnf: { 'x5t#S256': forwarded.thumbprint } });
    const statuses = [];
    for (const der of [own, other.der, own])
      statuses.push((await api.get('/any', token).set('Client-Cert', byteSequence(der))).status);
    expect(statuses).toEqual([200, 401, 200]);
  });

  it('[P4-4] rejects a token for its own faults with any value of the header', async () => {
    const { issuer, api } = await boot({}, create);
    const expired = await issuer.sign({ cnf: { 'x5t#S256': forwarded.thumbprint } }, { expiresIn: '-1h' });
    for (const value of [byteSequence(own), ':!:', ''])
      expect((await api.get('/any', expired).set('Client-Cert', value)).body.errorCode).toBe(
        'AUTH_TOKEN_EXPIRED',
      );
  });

  async function getTwice(
    options: Partial<HeaderCertificateOptions>,
    claims: object = { cnf: { 'x5t#S256': forwarded.thumbprint } },
  ): Promise<string> {
    const { issuer, api } = await boot(options, create);
    const lines = [
      `Authorization: Bearer ${await issuer.sign({ ...claims })}`,
      `Client-Cert: ${byteSequence(own)}`,
      `client-cert: ${byteSequence(other.der)}`,
    ];
    return exchange(api.app, ['GET /any HTTP/1.1', ...lines]);
  }
});

describe('trusted proxies', () => {
  it.each([
    [['127.0.0.1/32'], 200],
    [['127.0.0.0/8'], 200],
    [['::ffff:127.0.0.0/104'], 200],
    [['::ffff:127.0.0.1'], 200],
    [['127.0.0.2', '127.0.1.0/24', '::1'], MISMATCH],
  ] as const)(
    '[P4-2] counts the IPv4-mapped address of a connection as IPv4: %j is %s',
    async (trustedProxies, expected) => {
      const { api, get } = await boot({ trustedProxies });
      const server = api.app.getHttpServer();
      // A server on all addresses sees IPv4 callers as ::ffff:127.0.0.1.
      await api.app.listen(0, '::');
      const families: unknown[] = [];
      server.on('request', ({ socket }: { socket: { remoteAddress: string } }) =>
        families.push(socket.remoteAddress),
      );
      expect(await get(proxyHeaders.rfc9440)).toBe(expected);
      expect(families).toEqual(['::ffff:127.0.0.1']);
    },
  );

  it.each([
    [() => true, 200],
    [() => false, MISMATCH],
    [() => 'yes', MISMATCH],
    [() => 1, MISMATCH],
    [() => undefined, MISMATCH],
    [() => Promise.resolve(true), '500 AUTH_CONFIGURATION_INVALID'],
  ])(
    '[P4-2] reads the header of a proxy only when trustedProxies returns exactly true: %s',
    async (answer, expected) => {
      // As from JavaScript, where nothing checks what it returns.
      const options: object = { trustedProxies: answer };
      const { get } = await boot(options);
      expect(await get(proxyHeaders.rfc9440)).toBe(expected);
    },
  );
});

describe('Client-Cert of RFC 9440', () => {
  const base64 = own.toString('base64');
  it.each([`:${base64.replace(/=+$/, '')}:`, ` :${base64}: `])(
    '[P4-2] accepts a byte sequence without padding, or with spaces around it (case %#)',
    async (value) => {
      const { get } = await boot({});
      expect(await get({ 'Client-Cert': value })).toBe(200);
    },
  );

  it.each([
    base64,
    `:${base64}`,
    `${base64}:`,
    `"${base64}"`,
    `::${base64}::`,
    `:${base64}:;a=1`,
    `:${base64}:, :${base64}:`,
    `:${base64.slice(0, 8)} ${base64.slice(8)}:`,
    `:${base64.replaceAll('+', '-').replaceAll('/', '_')}:`,
    `:${base64.slice(0, -8)}:`,
    '::',
    ':',
    ':%:',
  ])('[P4-2] rejects a value that is not exactly one byte sequence (case %#)', async (value) => {
    const { get } = await boot({});
    expect(await get({ 'Client-Cert': value })).toBe(MISMATCH);
    expect(await get({ 'Client-Cert': value }, { sub: 'alice' })).toBe(200);
  });
});

describe('presets of proxies', () => {
  const pem = encodeURIComponent(forwarded.pem);
  const hash = Buffer.from(forwarded.thumbprint, 'base64url').toString('hex');
  const otherHash = Buffer.from(other.thumbprint, 'base64url').toString('hex');
  const otherPem = encodeURIComponent(pemOf(other.der));

  it.each([
    [`Hash=${hash}`, 200],
    [`hash=${hash.toUpperCase()};By=a`, 200],
    [`Cert="${pem}"`, 200],
    [`By=http://a;Hash=${hash};Cert="${pem}"`, 200],
    [`Hash=${otherHash},Hash=${hash}`, 200],
    [`Subject="CN=\\"a, Hash=b; c",Hash=${hash}`, 200],
    [`Hash=${hash},Hash=${otherHash}`, MISMATCH],
    [`Hash=${hash},By=a`, MISMATCH],
    [`Hash=${hash},`, MISMATCH],
    [`Hash=${hash};Cert="${otherPem}"`, MISMATCH],
    [`Hash=${otherHash};Cert="${pem}"`, MISMATCH],
    [`Hash=${hash};Hash=${otherHash}`, MISMATCH],
    [`Cert="${pem}";Hash=broken`, MISMATCH],
    [`Subject="CN=a,Hash=${hash}`, MISMATCH],
    [`Subject="CN=a;Hash=${hash}"`, MISMATCH],
    [`Hash=${hash.slice(1)}`, MISMATCH],
    [`Cert="%"`, MISMATCH],
    [`Chain="${pem}"`, MISMATCH],
    // An open quote of the client, which a quote in the name of its certificate closes.
    [`Hash=${hash};X=",By=a;Hash=${otherHash};Subject="CN=a\\"b"`, MISMATCH],
    [`Hash=${hash};X=",By=a;Hash=${otherHash};Subject="CN=a";Y="b"`, MISMATCH],
    [`Hash=${hash};Subject="a"b"c"`, MISMATCH],
    [`Hash=${hash};Subject=a\\`, MISMATCH],
    [`Hash=${hash};Subject="";URI=spiffe://a/b?c=d`, 200],
    ['', MISMATCH],
    ['=', MISMATCH],
  ])('[P4-3] reads the last element of x-forwarded-client-cert (case %#)', async (value, expected) => {
    const { get } = await boot({ preset: 'envoy' });
    expect(await get({ 'X-Forwarded-Client-Cert': value })).toBe(expected);
  });

  it.each([
    [{}, MISMATCH],
    [{ 'Cf-Cert-Verified': 'false' }, MISMATCH],
    [{ 'Cf-Cert-Verified': 'TRUE' }, MISMATCH],
    [{ 'Cf-Cert-Verified': 'true' }, 200],
    [{ 'Cf-Cert-Verified': 'true', 'Cf-Cert-Revoked': 'true' }, MISMATCH],
  ])(
    '[P4-3] reads the header of Cloudflare only when the certificate is verified: %j',
    async (flags, expected) => {
      const { get } = await boot({ preset: 'cloudflare' });
      const headers: Record<string, string> = { 'Cf-Client-Cert-Der-Base64': own.toString('base64') };
      expect(await get({ ...headers, ...flags })).toBe(expected);
    },
  );

  it.each([
    ['a plus sign that became a space', pem.replaceAll('%2B', '%20')],
    ['the PEM of something else', pem.replaceAll('CERTIFICATE', 'PUBLIC%20KEY')],
    ['no PEM', encodeURIComponent(own.toString('base64'))],
    ['PEM without its end', pem.slice(0, 400)],
    ['another certificate in front', `${otherPem}${pem}`],
    ['a broken escape', `${pem}%zz`],
  ])('[P4-3] rejects %s in escaped PEM', async (_, value) => {
    const { get } = await boot({ preset: 'aws-alb' });
    expect(await get({ 'X-Amzn-Mtls-Clientcert': value })).toBe(MISMATCH);
  });

  it('[P4-3] accepts the header of another name, with a decoder of the sub-path or of the application', async () => {
    const leaf = await boot({ preset: { name: 'X-Amzn-Mtls-Clientcert-Leaf', decode: decodeEscapedPem } });
    expect(await leaf.get({ 'X-Amzn-Mtls-Clientcert-Leaf': pem })).toBe(200);
    expect(await leaf.get(proxyHeaders['aws-alb'])).toBe(MISMATCH);
    const haproxy = await boot({ preset: { name: 'X-SSL-Client-DER', decode: decodeBase64Der } });
    expect(await haproxy.get({ 'X-SSL-Client-Der': own.toString('base64') })).toBe(200);
    const hex = await boot({ preset: { name: 'x-hex', decode: (value) => Buffer.from(value, 'hex') } });
    expect(await hex.get({ 'X-Hex': own.toString('hex') })).toBe(200);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
      MISMATCH,
    ],
    ['returns nothing', () => undefined, MISMATCH],
    ['returns null', () => null, MISMATCH],
    ['returns no bytes', () => new Uint8Array(), MISMATCH],
    ['returns text', () => forwarded.pem, '500 AUTH_CONFIGURATION_INVALID'],
    ['returns a promise', () => Promise.resolve(own), '500 AUTH_CONFIGURATION_INVALID'],
  ])(
    '[P4-4] rejects a bound token, and accepts an unbound one, when decode %s',
    async (_, decode, expected) => {
      // As from JavaScript, where nothing checks what it returns.
      const options: object = { preset: { name: 'x-cert', decode } };
      const { get } = await boot(options);
      expect(await get({ 'X-Cert': 'a' })).toBe(expected);
      expect(await get({ 'X-Cert': 'a' }, { sub: 'alice' })).toBe(200);
    },
  );
});
