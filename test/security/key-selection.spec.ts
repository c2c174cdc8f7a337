import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Bench, useBench } from '../support/apps/bench.js';
import { makeSigner } from '../support/issuers/signer.js';

/** docs/security-checklist.md E: which member of a key set may verify which token. */
describe('a member of the key set', () => {
  const bench = useBench();

  it.each<[what: string, member: unknown]>([
    ['null', null],
    ['a number', 7],
    ['a list', [[]]],
    ['a string', 'key'],
    ['an empty object', {}],
    ['an unknown kty', { kty: 'XYZ', kid: 'x' }],
    ['a kty that is no string', { kty: ['RSA'] }],
    ['no members', { kty: 'RSA', kid: 'r', use: 'sig' }],
    ['junk members', { kty: 'RSA', kid: 'r', n: '***', e: 'AQAB' }],
    ['a member named __proto__', JSON.parse('{"__proto__":{"kty":"RSA"},"kid":"p"}')],
    ['a kid that is no string', { ...makeSigner('ES256').jwk, kid: 7 }],
    ['an AKP key', { kty: 'AKP', alg: 'ML-DSA-65', pub: 'AAAA', kid: 'akp' }],
  ])('[E1] ignores a member and keeps the others: %s', async (_, member) => {
    bench().issuer.publishRaw(member);
    const later = bench().publish(makeSigner('ES256'));
    await bench().admits(bench().tokenBy(later));
    await bench().admits(bench().token());
  });

  it.each([
    ['use enc', { use: 'enc' }],
    ['use of another kind', { use: 'tls' }],
    ['use in another case', { use: 'SIG' }],
    ['use that is no string', { use: ['sig'] }],
    ['key_ops without verify', { key_ops: ['sign'] }],
    ['key_ops in a string', { key_ops: 'verify' }],
    ['key_ops twice', { key_ops: ['verify', 'verify'] }],
    ['key_ops of encryption', { use: undefined, key_ops: ['encrypt', 'wrapKey'] }],
    ['key_ops at odds with its use', { use: 'sig', key_ops: ['verify', 'encrypt'] }],
    ['key_ops that are no strings', { key_ops: ['verify', 7] }],
  ])('[E2] skips a key with %s', async (_, members) => {
    const key = bench().publish(makeSigner('ES256', { members }));
    await bench().refuses(bench().tokenBy(key), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it.each([
    { use: undefined },
    { use: 'sig', key_ops: ['verify'] },
    { key_ops: [] },
    { use: null, key_ops: null, x5c: null },
    { x5c: [], oth: [], d: null, issuer: null },
    { use: undefined, key_ops: ['verify'] },
    { key_ops: ['sign', 'verify'] },
  ])('[E2] accepts a key with %j', async (members) => {
    await bench().admits(bench().tokenBy(bench().publish(makeSigner('ES256', { members }))));
  });

  it('[E3] compares its kid to the letter, = + and / included', async () => {
    const key = bench().publish(makeSigner('ES256', { kid: 'aB+c/Zm9v9=' }));
    await bench().admits(bench().tokenBy(key));
    for (const kid of ['ab+c/zm9v9=', 'aB+c/Zm9v9', 'aB-c_Zm9v9', ' aB+c/Zm9v9=', 'aB%2Bc/Zm9v9='])
      await bench().refuses(bench().tokenBy(key, { kid }), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[E4] accepts a token of either key when several share a kid', async () => {
    const [one, two, rsa] = [
      makeSigner('ES256', { kid: 'shared' }),
      makeSigner('ES256', { kid: 'shared' }),
      makeSigner('RS256', { kid: 'shared' }),
    ];
    for (const key of [one, two, rsa]) bench().publish(key);
    for (const key of [one, two, rsa]) await bench().admits(bench().tokenBy(key));
    await bench().refuses(
      bench().tokenBy(makeSigner('ES256', { kid: 'shared' })),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
  });

  it('[E6] uses n and e of the key, not its certificate', async () => {
    const [published, certified] = [makeSigner('RS256'), makeSigner('RS256')];
    const certificate = certified.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    bench().publish({ ...published, jwk: { ...published.jwk, x5c: [certificate], x5t: 'AAAA' } });
    await bench().admits(bench().tokenBy(published));
    await bench().refuses(
      bench().tokenBy({ ...certified, kid: published.kid }),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
  });

  it('[E6] skips a key that has a certificate alone', async () => {
    const key = makeSigner('RS256', { members: { n: undefined, e: undefined, x5c: ['MIIB'] } });
    await bench().refuses(bench().tokenBy(bench().publish(key)), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });
});

describe('a token without kid', () => {
  const nameless = { kid: undefined };

  it('[E5] accepts a token of the one key that fits, or of any of several', async () => {
    await using bench = await Bench.open();
    await bench.admits(bench.token({}, nameless));
    const [second, rsa] = [bench.publish(makeSigner('ES256')), bench.publish(makeSigner('RS256'))];
    await bench.admits(bench.tokenBy(second));
    for (const key of [second, rsa]) await bench.admits(bench.tokenBy(key, nameless));
    await bench.refuses(bench.tokenBy(makeSigner('ES256'), nameless), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench.refuses(bench.tokenBy(makeSigner('ES384'), nameless), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[E5] tries eight keys at most', async () => {
    await using bench = await Bench.open({ alg: 'ES384' });
    const keys = Array.from({ length: 8 }, () => bench.publish(makeSigner('ES384')));
    const [, , , , , , seventh, eighth] = keys;
    await bench.admits(bench.tokenBy(keys[0] ?? bench.signer));
    // The bench's own key stands before them: the eighth of these is the ninth that fits.
    await bench.admits(bench.tokenBy(seventh ?? bench.signer, nameless));
    await bench.refuses(bench.tokenBy(eighth ?? bench.signer, nameless), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench.admits(bench.tokenBy(eighth ?? bench.signer));
  });

  it('[E4] [E5] rejects a wrong signature and serves other tokens when a thousand keys share a kid', async () => {
    await using bench = await Bench.open();
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (let i = 0; i < 1000; i++)
      bench.issuer.publishRaw({ ...publicKey.export({ format: 'jwk' }), kid: 'many', alg: 'ES256', i });
    await bench.refuses(bench.tokenBy(makeSigner('ES256', { kid: 'many' })), 'AUTH_TOKEN_SIGNATURE_INVALID');
    expect((await bench.admits(bench.token())).body).toEqual({ subject: 'alice' });
  });
});
