import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Bench, useBench } from '../support/apps/bench.js';
import { compact, makeSigner, signWith, type Signer } from '../support/issuers/signer.js';

/** docs/security-checklist.md D, the elliptic curves. */
describe('a key on a curve', () => {
  const bench = useBench();
  const republished = (signer: Signer, members: Readonly<Record<string, unknown>>) =>
    bench().publish({ ...signer, jwk: { ...signer.jwk, ...members } });
  const bytes = (text = '') => Buffer.from(text, 'base64url');

  it.each(['ES256', 'ES384', 'ES512', 'EdDSA'])('[D4] accepts a token of %s', async (alg) => {
    await bench().admits(bench().tokenBy(bench().publish(makeSigner(alg))));
  });

  it('[D4] accepts tokens of the algorithm of its curve and of no other', async () => {
    for (const [own, other] of [
      ['ES256', 'ES384'],
      ['ES384', 'ES256'],
      ['ES512', 'ES384'],
    ] as const) {
      const key = makeSigner(own, { members: { alg: undefined } });
      bench().publish(key);
      await bench().admits(bench().tokenBy(key));
      const crossed = bench().tokenBy({ ...key, alg: other, sign: signWith(key.privateKey, other) });
      await bench().rejectsAlgorithm(crossed);
      const misnamed = republished(makeSigner(own), { alg: other });
      await bench().refuses(bench().tokenBy(misnamed), 'AUTH_TOKEN_SIGNATURE_INVALID');
    }
  });

  it.each([
    ['a point off the curve', ({ y }: Point) => ({ y: flipped(y) })],
    [
      'no point',
      () => ({ x: Buffer.alloc(32).toString('base64url'), y: Buffer.alloc(32).toString('base64url') }),
    ],
    ['another curve’s name', () => ({ crv: 'P-384' })],
    ['an unknown curve', () => ({ crv: 'P-999' })],
    ['a curve named like a member of Object', () => ({ crv: 'toString' })],
    [
      'a coordinate that is too long',
      ({ x }: Point) => ({ x: Buffer.concat([Buffer.alloc(1), bytes(x)]).toString('base64url') }),
    ],
    [
      'a coordinate that is too short',
      ({ x }: Point) => ({ x: bytes(x).subarray(0, 31).toString('base64url') }),
    ],
    ['a padded coordinate', ({ x }: Point) => ({ x: `${x}=` })],
    ['no y', () => ({ y: undefined })],
    ['a number for x', () => ({ x: 7 })],
  ])('[D4] skips a key with %s, and keeps the others', async (_, spoil) => {
    const good = makeSigner('ES256');
    const { x = '', y = '' } = good.jwk;
    await bench().refuses(
      bench().tokenBy(republished(good, spoil({ x, y }))),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
    await bench().admits(bench().token());
  });

  it('[D4] accepts a key when a leading zero of a coordinate was dropped', async () => {
    let key = makeSigner('ES256');
    while (bytes(key.jwk.x)[0] !== 0) key = makeSigner('ES256');
    await bench().admits(bench().tokenBy(bench().publish(key)));
    const short = { ...key, kid: randomUUID() };
    republished(short, { kid: short.kid, x: bytes(key.jwk.x).subarray(1).toString('base64url') });
    await bench().admits(bench().tokenBy(short));
  });

  it('[D4] skips a key on secp256k1', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const key = { ...makeSigner('ES256'), publicKey, privateKey, sign: signWith(privateKey, 'ES256') };
    republished(key, { ...publicKey.export({ format: 'jwk' }), alg: 'ES256' });
    await bench().refuses(bench().tokenBy(key), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench().refuses(bench().tokenBy({ ...key, alg: 'ES256K' }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it.each([
    ['r and s zero (psychic)', () => Buffer.alloc(64)],
    ['r zero', (signature: Buffer) => Buffer.concat([Buffer.alloc(32), signature.subarray(32)])],
    ['s zero', (signature: Buffer) => Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)])],
    ['r and s the order', () => Buffer.concat([ORDER, ORDER])],
    ['r and s beyond the order', () => Buffer.alloc(64, 0xff)],
    ['a byte less', (signature: Buffer) => signature.subarray(0, 63)],
    ['a byte more', (signature: Buffer) => Buffer.concat([signature, Buffer.alloc(1)])],
    ['a zero byte in front', (signature: Buffer) => Buffer.concat([Buffer.alloc(1), signature])],
    [
      'the length of P-384',
      (signature: Buffer) =>
        Buffer.concat([
          Buffer.alloc(16),
          signature.subarray(0, 32),
          Buffer.alloc(16),
          signature.subarray(32),
        ]),
    ],
    [
      'one bit wrong',
      (signature: Buffer) =>
        Buffer.concat([signature.subarray(0, 63), Buffer.from([(signature[63] ?? 0) ^ 1])]),
    ],
  ])('[D4] rejects a signature with %s', async (_, spoil) => {
    const { sign } = bench().signer;
    const forged = compact(bench().header(), bench().claims(), (input) => spoil(sign(input)));
    await bench().refuses(forged, 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[D4] rejects a signature in DER', async () => {
    const { createSign } = await import('node:crypto');
    const { privateKey } = bench().signer;
    const forged = compact(bench().header(), bench().claims(), (input) =>
      createSign('sha256').update(input).sign(privateKey),
    );
    await bench().refuses(forged, 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[D5] accepts both names of the algorithm for an Ed25519 key', async () => {
    for (const named of ['EdDSA', 'Ed25519', undefined]) {
      const key = bench().publish(makeSigner('EdDSA', { members: { alg: named } }));
      for (const alg of ['EdDSA', 'Ed25519']) await bench().admits(bench().tokenBy({ ...key, alg }));
    }
  });

  it('[D5] accepts only the allowed name for an Ed25519 key', async () => {
    await using bench = await Bench.open({ options: { algorithms: ['Ed25519', 'ES256'] } });
    const key = bench.publish(makeSigner('EdDSA'));
    await bench.admits(bench.tokenBy({ ...key, alg: 'Ed25519' }));
    await bench.refuses(bench.tokenBy({ ...key, alg: 'EdDSA' }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('[D5] skips a key on Ed448 or X25519', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed448');
    const ed448 = { ...makeSigner('EdDSA'), publicKey, privateKey, sign: signWith(privateKey, 'EdDSA') };
    republished(ed448, publicKey.export({ format: 'jwk' }));
    await bench().refuses(bench().tokenBy(ed448), 'AUTH_TOKEN_SIGNATURE_INVALID');
    const x25519 = republished(makeSigner('EdDSA'), { crv: 'X25519' });
    await bench().refuses(bench().tokenBy(x25519), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[D6] skips a key of a kind that the runtime may not have, and keeps the others', async () => {
    const pub = Buffer.alloc(1312, 7).toString('base64url');
    await using bench = await Bench.open({ options: { algorithms: ['ES256', 'ML-DSA-44'] } });
    bench.issuer.publishRaw({ kty: 'AKP', kid: 'pq', alg: 'ML-DSA-44', pub, use: 'sig' });
    bench.issuer.publishRaw({ kty: 'AKP', kid: 'pq-nameless', pub, use: 'sig' });
    const later = bench.publish(makeSigner('ES256'));
    await bench.admits(bench.tokenBy(later));
    await bench.refuses(
      bench.tokenBy({ ...later, kid: 'pq', alg: 'ML-DSA-44' }),
      'AUTH_TOKEN_SIGNATURE_INVALID',
    );
  });

  it('[D6] rejects an algorithm that the options do not name: ML-DSA-44', async () => {
    await bench().refuses(bench().token({}, { alg: 'ML-DSA-44' }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
    expect(bench().signer.alg).toBe('ES256');
  });
});

interface Point {
  readonly x: string;
  readonly y: string;
}

const ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

function flipped(coordinate: string): string {
  const bytes = Buffer.from(coordinate, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(5) ^ 1, 5);
  return bytes.toString('base64url');
}
