import { MetadataProvider, type MetadataEvent } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import { startApi, startIssuer } from '../support/apps/start-api.js';
import { KeptController, KeptStrategy } from '../support/apps/kept-strategy.js';
import { platforms } from '../support/apps/platforms.js';
import { Bench, useBench } from '../support/apps/bench.js';
import { compact, macWith, makeSigner, type Signer } from '../support/issuers/signer.js';

/** Everything about a public key that has ever been taken for an HMAC secret (CVE-2015-9235 and its heirs). */
function secretsOf({
  publicKey,
  jwk,
}: Signer): readonly (readonly [what: string, secret: string | Buffer])[] {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const bare = publicKey.export({ format: 'jwk' });
  return [
    ['PEM', pem],
    ['PEM without the last newline', pem.trim()],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PKCS#1 PEM', publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(jwk)],
    ['bare JWK', JSON.stringify(bare)],
    ['key set', JSON.stringify({ keys: [jwk] })],
    ['modulus', Buffer.from(String(bare.n), 'base64url')],
    ['modulus, encoded', String(bare.n)],
    ['kid', String(jwk['kid'])],
    ['empty string', ''],
    ['null', 'null'],
    ['undefined', 'undefined'],
    ['[object Object]', '[object Object]'],
  ];
}

/** docs/security-checklist.md D, D7 and D8, with E7. */
describe('a public key', () => {
  const bench = useBench({ alg: 'RS256' });

  it('[D7] rejects an HMAC made with it, in every spelling', async () => {
    await bench().admits(bench().token());
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      for (const [, secret] of secretsOf(bench().signer)) {
        const sign = macWith(secret, `sha${alg.slice(2)}`);
        const forged = compact(bench().header({ alg }), bench().claims(), sign);
        await bench().refuses(forged, 'AUTH_TOKEN_ALGORITHM_REFUSED');
      }
    }
  });

  it("[D7] rejects an HMAC that names the key's own algorithm", async () => {
    for (const [, secret] of secretsOf(bench().signer)) {
      const forged = compact(bench().header(), bench().claims(), macWith(secret));
      await bench().refuses(forged, 'AUTH_TOKEN_SIGNATURE_INVALID');
    }
  });

  it('[D7] rejects a token when its key is missing', async () => {
    const forged = (kid: string | undefined) =>
      compact(bench().header({ kid }), bench().claims(), () => Buffer.from('signature'));
    for (const kid of ['absent', '', undefined, bench().signer.kid])
      await bench().refuses(forged(kid), 'AUTH_TOKEN_SIGNATURE_INVALID');
  });

  it('[D7] rejects an HMAC when a passport-jwt strategy without algorithms uses secretOrKeyProvider', async () => {
    const issuer = await startIssuer();
    const signer = makeSigner('RS256');
    issuer.publishRaw(signer.jwk);
    const own = { controllers: [KeptController], providers: [KeptStrategy] };
    const api = await startApi(platforms[0].create, issuer.options(), own);
    const get = (token: string) => api.get('/kept', token);
    const claims = { iss: issuer.url, aud: 'api', exp: Math.floor(Date.now() / 1000) + 60 };
    const header = (alg: string) => ({ alg, typ: 'JWT', kid: signer.kid });
    await get(compact(header('RS256'), claims, signer.sign)).expect(200);
    for (const [, secret] of secretsOf(signer))
      await get(compact(header('HS256'), claims, macWith(secret))).expect(401);
    await get(compact(header('none'), claims, () => Buffer.alloc(0))).expect(401);
    await get(compact(header('RS256'), { ...claims, aud: 'other' }, signer.sign)).expect(401);
  });
});

describe('a key set with a secret in it', () => {
  async function open() {
    const bench = await Bench.open();
    const events: MetadataEvent[] = [];
    bench.api.app.get(MetadataProvider).events$.subscribe((event) => events.push(event));
    return { bench, events };
  }

  it.each(['RS256', 'ES256', 'EdDSA'])('[D8] [E7] skips its private %s key, and emits that', async (alg) => {
    const { bench, events } = await open();
    await using _ = bench;
    const leaked = makeSigner(alg);
    bench.publish({ ...leaked, jwk: { ...leaked.jwk, ...leaked.privateKey.export({ format: 'jwk' }) } });
    await bench.refuses(bench.tokenBy(leaked), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench.admits(bench.token());
    const skipped = events.filter(({ type }) => type === 'key-skipped');
    expect(skipped).toEqual([expect.objectContaining({ kid: leaked.kid, fault: 'private' })]);
    expect(JSON.stringify(events)).not.toContain(leaked.privateKey.export({ format: 'jwk' }).d);
  });

  it.each(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'])(
    '[D8] skips a key with the private member %s, even an empty one',
    async (member) => {
      const { bench, events } = await open();
      await using _ = bench;
      const key = bench.publish(makeSigner('ES256', { members: { [member]: '' } }));
      await bench.refuses(bench.tokenBy(key), 'AUTH_TOKEN_SIGNATURE_INVALID');
      expect(events).toContainEqual(expect.objectContaining({ kid: key.kid, fault: 'private' }));
    },
  );

  it('[E7] rejects tokens of its symmetric key, under its own algorithm and another', async () => {
    const { bench, events } = await open();
    await using _ = bench;
    const secret = Buffer.alloc(32, 1);
    bench.issuer.publishRaw({
      kty: 'oct',
      kid: 'shared',
      alg: 'HS256',
      use: 'sig',
      k: secret.toString('base64url'),
    });
    bench.publish(makeSigner('ES256', { kid: 'mixed', members: { k: secret.toString('base64url') } }));
    const forged = (alg: string, kid: string) =>
      compact(bench.header({ alg, kid }), bench.claims(), macWith(secret));
    await bench.refuses(forged('HS256', 'shared'), 'AUTH_TOKEN_ALGORITHM_REFUSED');
    await bench.refuses(forged('ES256', 'shared'), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench.refuses(forged('RS256', 'mixed'), 'AUTH_TOKEN_SIGNATURE_INVALID');
    await bench.admits(bench.token());
    const skipped = events.flatMap((event) => (event.type === 'key-skipped' ? [event.fault] : []));
    expect(skipped).toEqual(['symmetric', 'symmetric']);
  });
});
