import { MetadataProvider, type KeyFault, type MetadataEvent } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { Bench, useBench } from '../support/apps/bench.js';
import { makeRsaSigner, verifiesByItself, type RsaRecipe } from '../support/issuers/rsa-signer.js';
import { makeSigner, republished, signWith } from '../support/issuers/signer.js';

const rsa = makeSigner('RS256');

/** docs/security-checklist.md D, RSA: every token verifies with the key it names, and most of the keys must not count. */
describe('an RSA key', () => {
  const bench = useBench();

  it.each<[what: string, recipe: RsaRecipe]>([
    ['of 2048 bits', {}],
    ['of 4096 bits', { primes: 4 }],
    ['of 8192 bits', { primes: 8 }],
    ['with a larger exponent', { exponent: 65_539n }],
    ['with an exponent of 64 bits', { exponent: 2n ** 64n - 59n }],
  ])('[D3] accepts a key %s', async (_, recipe) => {
    const key = bench().publish({ ...makeSigner('ES256'), ...makeRsaSigner(recipe) });
    await bench().admits(bench().tokenBy(key));
  });

  it.each<[what: string, fault: KeyFault, recipe: RsaRecipe]>([
    ['of 1024 bits', 'weak', { primeBits: 512 }],
    ['of 2046 bits', 'weak', { primeBits: 1023 }],
    ['of 1024 bits, padded to the length of 2048', 'weak', { primeBits: 512, padding: 128 }],
    ['of more than 8192 bits', 'weak', { primes: 9 }],
    ['with exponent 1', 'weak', { exponent: 1n }],
    ['with exponent 3', 'weak', { exponent: 3n }],
    ['with exponent 17', 'weak', { exponent: 17n }],
    ['with an exponent of more than 64 bits', 'weak', { exponent: 2n ** 72n - 93n }],
    ['with the ROCA fingerprint', 'weak', { isRoca: true, primeBits: 1032 }],
  ])('[D3] skips a key %s, although its signatures verify', async (_, fault, recipe) => {
    const key = { ...makeSigner('ES256'), ...makeRsaSigner(recipe) };
    expect(verifiesByItself(key)).toBe(true);
    const events: MetadataEvent[] = [];
    bench()
      .api.app.get(MetadataProvider)
      .events$.subscribe((event) => events.push(event));
    bench().publish(key);
    await bench().refuses(bench().tokenBy(key), 'AUTH_TOKEN_SIGNATURE_INVALID');
    expect(events).toContainEqual(expect.objectContaining({ type: 'key-skipped', kid: key.kid, fault }));
    await bench().admits(bench().token());
  });

  it.each<[what: string, recipe: RsaRecipe]>([
    ['exponent', { exponent: 3n }],
    ['primes', { isRoca: true, primeBits: 1032 }],
  ])('[D3] counts at least 2048 bits when the point of the test is its %s', (_, recipe) => {
    const { modulusLength } = makeRsaSigner(recipe).publicKey.asymmetricKeyDetails ?? {};
    expect(modulusLength).toBeGreaterThanOrEqual(2048);
  });

  it('[D3] skips a key with an even exponent', async () => {
    const even = bench().publish(republished(rsa, { e: Buffer.from([1, 0, 2]).toString('base64url') }));
    await bench().refuses(bench().tokenBy(even), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[D1] accepts the algorithm that the key names and no other', async () => {
    for (const named of ['RS256', 'RS512', 'PS256', 'PS384']) {
      const sign = signWith(rsa.privateKey, named);
      const key = bench().publish({ ...republished(rsa, { alg: named }), alg: named, sign });
      await bench().admits(bench().tokenBy(key));
      for (const alg of ['RS256', 'RS384', 'PS256', 'PS512'].filter((other) => other !== named)) {
        const token = bench().tokenBy({ ...key, alg, sign: signWith(key.privateKey, alg) });
        await bench().rejectsAlgorithm(token);
      }
    }
  });

  it('[D1] skips a key that names an algorithm of another kind', async () => {
    for (const alg of ['ES256', 'EdDSA', 'RSA-OAEP', 'HS256', 'RSA1_5', '', 'rs256']) {
      const key = bench().publish(republished(rsa, { alg }));
      await bench().refuses(bench().tokenBy(key), 'AUTH_TOKEN_SIGNATURE_INVALID');
    }
  });

  it('[D2] accepts RS256 alone when the key names no algorithm', async () => {
    const key = bench().publish(republished(rsa, { alg: undefined }));
    await bench().admits(bench().tokenBy(key));
    for (const alg of ['RS384', 'RS512', 'PS256', 'PS384', 'PS512']) {
      const token = bench().tokenBy({ ...key, alg, sign: signWith(key.privateKey, alg) });
      await bench().rejectsAlgorithm(token);
    }
  });

  it('[D2] accepts the one RSA algorithm of the allow-list, and not RS256, when the key names none', async () => {
    await using bench = await Bench.open({ options: { algorithms: ['PS256', 'ES256'] } });
    const sign = signWith(rsa.privateKey, 'PS256');
    const key = bench.publish({ ...republished(rsa, { alg: undefined }), alg: 'PS256', sign });
    await bench.admits(bench.tokenBy(key));
    const other = bench.tokenBy({ ...key, alg: 'RS256', sign: signWith(key.privateKey, 'RS256') });
    await bench.refuses(other, 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('[D2] accepts the RSA algorithms of the option, and no other, when the key names none', async () => {
    await using bench = await Bench.open({ options: { algorithms: ['PS256', 'RS256', 'ES256'] } });
    const key = bench.publish(republished(rsa, { alg: undefined }));
    for (const alg of ['PS256', 'RS256'])
      await bench.admits(bench.tokenBy({ ...key, alg, sign: signWith(key.privateKey, alg) }));
    const other = bench.tokenBy({ ...key, alg: 'RS512', sign: signWith(key.privateKey, 'RS512') });
    await bench.refuses(other, 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });
});
