import { AuthConfigurationError } from 'nestjs-resilient-auth';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { Api } from '../support/apps/api.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench, useBench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';

const [{ create }] = platforms;

/** docs/security-checklist.md C: every token here carries the right signature of the right key, unless it says otherwise. */
describe('the header of a token', () => {
  const bench = useBench();

  it.each([
    ['an unknown extension', { crit: ['x'], x: 1 }],
    ['b64', { crit: ['b64'], b64: true }],
    ['a registered parameter', { crit: ['alg'] }],
    ['a claim', { crit: ['exp'], exp: 4_000_000_000 }],
    ['a parameter that is absent', { crit: ['absent'] }],
    ['a name twice', { crit: ['x', 'x'], x: 1 }],
    ['a name in a string', { crit: 'x', x: 1 }],
    ['nothing, in a list', { crit: [] }],
    ['null', { crit: null }],
    ['false', { crit: false }],
    ['an object', { crit: { x: 1 } }],
  ])('[C1] rejects a token when crit holds %s', async (_, header) => {
    await bench().refuses(bench().token({}, header), 'AUTH_TOKEN_MALFORMED');
  });

  it('[C1] accepts unknown parameters that are not in crit', async () => {
    await bench().admits(bench().token({}, { x: 1, nonce: 'n', 'http://example.com/y': { z: [] } }));
  });

  it.each([{ b64: false, crit: ['b64'] }, { b64: false }, { b64: true }, { b64: 'false' }])(
    '[C2] rejects a token when b64 is present: %j',
    async (header) => {
      await bench().refuses(bench().token({}, header), 'AUTH_TOKEN_MALFORMED');
    },
  );

  it.each([
    'none',
    'None',
    'nOnE',
    'NONE',
    'es256',
    'ES256 ',
    'ES256\u0000',
    '',
    'ES256K',
    'HS256',
    'RSA-OAEP',
    'toString',
    '__proto__',
  ])('[C4] rejects an algorithm that is not in the allow-list to the letter: %j', async (alg) => {
    await bench().refuses(bench().token({}, { alg }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it.each([[['ES256']], [{ alg: 'ES256' }], [null], [256], [true], [undefined]])(
    '[C4] rejects an algorithm that is no string: %j',
    async (alg) => {
      await bench().refuses(bench().token({}, { alg }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
    },
  );

  it('[C4] rejects an empty signature', async () => {
    const unsigned = bench().raw(bench().header({ alg: 'none' }), bench().claims(), () => Buffer.alloc(0));
    await bench().refuses(unsigned, 'AUTH_TOKEN_MALFORMED');
    await bench().refuses(unsigned.slice(0, -1), 'AUTH_TOKEN_MALFORMED');
  });

  it('[C4] rejects a common algorithm when it is not in the configured list', async () => {
    await using narrow = await Bench.open({ alg: 'RS256', options: { algorithms: ['ES256'] } });
    await narrow.refuses(narrow.token(), 'AUTH_TOKEN_ALGORITHM_REFUSED');
    await narrow.admits(await narrow.issuer.sign());
  });

  it.each(['HS256', 'HS512', 'none', 'ES256K', 'RS1', ''])(
    '[C5] rejects the boot when algorithms holds %j',
    async (alg) => {
      await using issuer = await TestIssuer.start();
      const boot = Api.start(create, issuer.options({ algorithms: ['RS256', alg] }));
      await expect(boot).rejects.toThrow(AuthConfigurationError);
      await expect(boot).rejects.toThrow(/algorithms/);
      expect(issuer.requests).toHaveLength(0);
    },
  );

  it('[C6] keeps the accepted algorithms when the metadata lists others', async () => {
    await using issuer = await TestIssuer.start({ alg: 'ES256' });
    const algorithms = ['HS256', 'none', 'RS256'];
    const body = JSON.stringify({
      issuer: issuer.url,
      jwks_uri: issuer.jwksUri,
      id_token_signing_alg_values_supported: algorithms,
      token_endpoint_auth_signing_alg_values_supported: algorithms,
    });
    issuer.fail({ endpoint: 'discovery', mode: { body } });
    await using api = await Api.start(create, issuer.options());
    await api.get('/orders', await issuer.sign()).expect(200);
    for (const alg of ['HS256', 'none']) {
      const forged = bench().token({ iss: issuer.url }, { alg });
      expect((await api.get('/orders', forged).expect(401)).body.errorCode).toBe(
        'AUTH_TOKEN_ALGORITHM_REFUSED',
      );
    }
  });

  it.each([
    '__proto__',
    'constructor',
    '../../etc/passwd',
    "' OR 1=1 --",
    'https://evil.example/jwks',
    '*',
    '{tenantid}',
    '',
    '\u0000',
    'a\r\nb',
  ])('[C7] compares kid with key ids only, as text: %j', async (kid) => {
    const { text, headers } = await bench().refuses(
      bench().token({}, { kid }),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
    expect(kid.length > 1 && (text + JSON.stringify(headers)).includes(kid)).toBe(false);
    const named = bench().publish(makeSigner('ES256', { kid: `${kid}!` }));
    await bench().admits(bench().tokenBy(named));
  });

  it.each([[7], [null], [['k']], [{ k: 1 }], [true], ['k'.repeat(257)], ['k'.repeat(6000)]])(
    '[C7] rejects a kid that is no string or too long: %j',
    async (kid) => {
      await bench().refuses(bench().token({}, { kid }), 'AUTH_TOKEN_MALFORMED');
    },
  );

  it('[C9] rejects nested tokens and compression', async () => {
    for (const cty of ['JWT', 'jwt', 'application/jwt', 'Application/JWT', ['JWT'], null])
      await bench().refuses(bench().token({}, { cty }), 'AUTH_TOKEN_TYPE_REFUSED');
    for (const zip of ['DEF', 'none', null])
      await bench().refuses(bench().token({}, { zip }), 'AUTH_TOKEN_MALFORMED');
    await bench().admits(bench().token({}, { cty: 'json' }));
  });
});
