import { CompactEncrypt } from 'jose';
import { describe, expect, it } from 'vitest';
import { useBench } from '../support/apps/bench.js';
import { encoded, joined, makeSigner, macWith } from '../support/issuers/signer.js';

/** docs/security-checklist.md B, the outer form: every signature here is right unless the form is in the signature itself. */
describe('the form of a token', () => {
  const bench = useBench();
  const parts = (): [header: string, payload: string] => [
    encoded(bench().header()),
    encoded(bench().claims()),
  ];

  it('[B1] accepts the compact serialization only', async () => {
    const token = bench().token();
    await bench().admits(token);
    const [header = '', payload = '', signature = ''] = token.split('.');
    for (const json of [
      { payload, protected: header, signature },
      { payload, signatures: [{ protected: header, signature }] },
      [token],
      token,
    ]) {
      await bench().refuses(JSON.stringify(json), 'AUTH_TOKEN_MALFORMED');
    }
  });

  it('[B2] rejects a token unless it has two dots, with thousands of them too', async () => {
    const token = bench().token();
    const forms = [
      '.',
      '..',
      '...',
      '.'.repeat(8192),
      'a.'.repeat(4096),
      `${token}.`,
      `.${token}`,
      `${token}.${token}`,
    ];
    for (const form of [...forms, token.slice(0, token.lastIndexOf('.')), 'abc'])
      await bench().refuses(form, 'AUTH_TOKEN_MALFORMED');
  });

  it('[B3] rejects an encrypted token of five parts', async () => {
    const { publicKey } = makeSigner('RS256');
    const plaintext = Buffer.from(bench().token());
    const encrypted = await new CompactEncrypt(plaintext)
      .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A128GCM', cty: 'JWT' })
      .encrypt(publicKey);
    const bomb = encoded({ alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31 - 1, p2s: 'c2FsdA' });
    for (const jwe of [
      encrypted,
      `${bomb}.AAAA.AAAA.AAAA.AAAA`,
      `${encoded({ alg: 'dir', enc: 'A128GCM', zip: 'DEF' })}..AAAA.AAAA.AAAA`,
    ])
      await bench().refuses(jwe, 'AUTH_TOKEN_MALFORMED');
  });

  it('[B3] rejects the header of a JWE on a JWS', async () => {
    for (const alg of ['PBES2-HS256+A128KW', 'RSA-OAEP', 'dir', 'ECDH-ES'])
      await bench().refuses(bench().token({}, { alg, enc: 'A128GCM' }), 'AUTH_TOKEN_ALGORITHM_REFUSED');
  });

  it('[B4] rejects base64 with padding, in each part', async () => {
    const pad = (text: string) => `${text}=`;
    const [header, payload] = parts();
    const { sign } = bench().signer;
    for (const token of [
      joined(pad(header), payload, sign),
      joined(header, pad(payload), sign),
      pad(joined(header, payload, sign)),
    ])
      await bench().refuses(token, 'AUTH_TOKEN_MALFORMED');
  });

  it('[B4] rejects the alphabet of plain base64', async () => {
    // Until a signature has one of the two characters that differ.
    let token = bench().token();
    while (!/[-_][^.]*$/.test(token)) token = bench().token();
    const end = token.lastIndexOf('.');
    const plain = token.slice(end).replaceAll('-', '+').replaceAll('_', '/');
    await bench().admits(token);
    await bench().refuses(token.slice(0, end) + plain, 'AUTH_TOKEN_MALFORMED');
    const [header] = parts();
    const payload = Buffer.from(JSON.stringify({ ...bench().claims(), text: '???>>>~~~' })).toString(
      'base64',
    );
    expect(payload).toMatch(/[+/]/);
    await bench().refuses(
      joined(header, payload.replaceAll('=', ''), bench().signer.sign),
      'AUTH_TOKEN_MALFORMED',
    );
  });

  it('[B4] rejects non-canonical base64url: unused bits that are set', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const nudge = (text: string) => text.slice(0, -1) + alphabet.charAt(alphabet.indexOf(text.slice(-1)) ^ 1);
    const token = bench().token();
    const alias = nudge(token);
    const bytes = (text: string) => Buffer.from(text.slice(text.lastIndexOf('.') + 1), 'base64url');
    expect(bytes(alias)).toEqual(bytes(token));
    await bench().refuses(alias, 'AUTH_TOKEN_MALFORMED');
    const [header] = parts();
    for (const pad of ['', 'x', 'xx']) {
      const payload = encoded({ ...bench().claims(), pad });
      if (payload.length % 4 !== 0)
        await bench().refuses(joined(header, nudge(payload), bench().signer.sign), 'AUTH_TOKEN_MALFORMED');
    }
  });

  it('[B4] rejects an impossible length and empty parts', async () => {
    const [header, payload] = parts();
    const { sign } = bench().signer;
    for (const length of [1, 5, 9]) {
      const impossible = 'A'.repeat(length);
      await bench().refuses(joined(header, impossible, sign), 'AUTH_TOKEN_MALFORMED');
      await bench().refuses(`${header}.${payload}.${impossible}`, 'AUTH_TOKEN_MALFORMED');
    }
    await bench().refuses(joined('', payload, sign), 'AUTH_TOKEN_MALFORMED');
    await bench().refuses(joined(header, '', sign), 'AUTH_TOKEN_MALFORMED');
    await bench().refuses(`${header}.${payload}.`, 'AUTH_TOKEN_MALFORMED');
  });

  it('[B4] rejects characters outside ASCII in every part', async () => {
    const [header, payload] = parts();
    for (const letter of ['é', 'ÿ', '%41', '~', ':'])
      await bench().refuses(
        `${header}${letter}.${payload}.${macWith('x')('').toString('base64url')}`,
        'AUTH_TOKEN_MALFORMED',
      );
  });
});
