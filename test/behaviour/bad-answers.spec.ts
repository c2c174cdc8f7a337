import {
  createHash,
  generateKeyPairSync,
  sign,
  type JsonWebKey,
  type KeyPairKeyObjectResult,
} from 'node:crypto';
import type { KeyFault, MetadataFault } from 'nestjs-resilient-auth';
import { describe, expect, it } from 'vitest';
import {
  json,
  keyOf,
  status,
  text,
  type Reply,
  type ScenarioKey,
} from '../support/issuers/scripted-issuer.js';
import { scene } from '../support/apps/scene.js';

const MINUTE = 60_000;
const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const { jwk: good } = await keyOf('a');
/** Parsed with ease, and more than can be serialized again. */
const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const unusable = [{ kty: 'oct', k: 'c2VjcmV0', kid: 'o' }, { kty: 'XXX', kid: 'x' }, null];

describe('a key set that cannot be read', () => {
  const cases: readonly [string, Reply, MetadataFault][] = [
    ['HTML', text('<!doctype html><title>Sign in</title>', { 'content-type': 'text/html' }), 'not-json'],
    ['an empty body', text(''), 'not-json'],
    ['truncated JSON', (_, honest) => half(honest()), 'not-json'],
    ['bytes that are no UTF-8', () => new Response(new Uint8Array([0x7b, 0xff, 0x7d])), 'not-json'],
    ['{}', json({}), 'no-usable-key'],
    ['[]', json([]), 'no-usable-key'],
    ['null', json(null), 'no-usable-key'],
    ['a number', json(42), 'no-usable-key'],
    ['{"keys":null}', json({ keys: null }), 'no-usable-key'],
    ['{"keys":{}}', json({ keys: { a: good } }), 'no-usable-key'],
    ['{"keys":[]}', json({ keys: [] }), 'no-usable-key'],
    ['one key with no set around it', json(good), 'no-usable-key'],
    ['only keys that cannot be used', json({ keys: unusable }), 'no-usable-key'],
  ];

  it.each(cases)(
    '[33] keeps the good snapshot and emits the reason when the answer is %s',
    async (_, reply, fault) => {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      const snapshot = provider.snapshot();
      issuer.always('jwks', reply);
      await clock.advance(10 * MINUTE);
      expect(stage.emitted('refresh-failed').at(-1)).toMatchObject({
        trigger: 'automatic',
        error: { fault },
      });
      expect(provider.snapshot()).toBe(snapshot);
      expect(provider.status().lastFailure?.fault).toBe(fault);
      expect(await stage.show('a')).toBe('accepted');
      const unknown = stage.watch(await issuer.sign('b'));
      await clock.advance(10_000);
      expect(await unknown.settled).toBe('AUTH_METADATA_UNAVAILABLE');
      expect(provider.snapshot()).toBe(snapshot);
    },
  );

  it.each(cases)(
    '[33] loads nothing when the first answer is %s, and loads the next good one',
    async (_, reply) => {
      const stage = await scene({ start: false });
      const { clock, issuer, provider } = stage;
      issuer.once('jwks', reply);
      await provider.start();
      expect(provider.status().state).toBe('empty');
      await clock.advance(1000);
      expect(await stage.show('a')).toBe('accepted');
    },
  );

  it('[33] keeps the text of the upstream out of the failure message', async () => {
    const { clock, issuer, provider } = await scene();
    issuer.always('all', text('secret-of-the-upstream'));
    await clock.advance(10 * MINUTE);
    expect(provider.status().lastFailure?.message).not.toContain('secret');
  });
});

describe('a discovery document that cannot be used', () => {
  const refused: readonly [string, Reply, MetadataFault][] = [
    [
      'names another issuer',
      json({ issuer: 'https://evil.test', jwks_uri: 'https://evil.test/jwks' }),
      'wrong-issuer',
    ],
    ['names an issuer with a slash more', discovery({ issuer: 'https://issuer.test/' }), 'wrong-issuer'],
    ['names no issuer', discovery({ issuer: undefined }), 'wrong-issuer'],
    ['is {}', json({}), 'wrong-issuer'],
    ['is null', json(null), 'wrong-issuer'],
    ['is []', json([]), 'wrong-issuer'],
    ['has an http jwks_uri', discovery({ jwks_uri: 'http://issuer.test/jwks' }), 'bad-jwks-uri'],
    ['has no jwks_uri', discovery({ jwks_uri: undefined }), 'bad-jwks-uri'],
    ['has a file as jwks_uri', discovery({ jwks_uri: 'file:///etc/passwd' }), 'bad-jwks-uri'],
    ['has a data jwks_uri', discovery({ jwks_uri: 'data:application/json,{}' }), 'bad-jwks-uri'],
    [
      'has credentials in its jwks_uri',
      discovery({ jwks_uri: 'https://a:b@issuer.test/jwks' }),
      'bad-jwks-uri',
    ],
    ['has a list as jwks_uri', discovery({ jwks_uri: ['https://issuer.test/jwks'] }), 'bad-jwks-uri'],
  ];

  it.each(refused)(
    '[33] keeps the good snapshot and emits the reason when the document %s',
    async (_, reply, fault) => {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      const snapshot = provider.snapshot();
      await issuer.publish('b');
      issuer.always('discovery', reply);
      await clock.advance(10 * MINUTE);
      expect(stage.emitted('refresh-failed').at(-1)).toMatchObject({
        trigger: 'automatic',
        error: { fault },
      });
      expect(provider.snapshot()).toBe(snapshot);
      expect(issuer.calls('other')).toBe(0);
      expect(issuer.requests.every(({ url }) => url.startsWith('https://issuer.test/'))).toBe(true);
    },
  );

  it.each(refused)('[33] loads nothing when the first document %s', async (_, reply) => {
    const { issuer, provider } = await scene({ start: false });
    issuer.always('discovery', reply);
    await provider.start();
    expect(provider.status().state).toBe('empty');
    expect(issuer.calls('jwks')).toBe(0);
  });

  it.each([
    ['HTML', text('<!doctype html>')],
    ['truncated JSON', (_: unknown, honest: () => Response) => half(honest())],
    ['a 500', status(500)],
  ] as const)(
    '[33] refreshes from the key set alone and emits discovery-failed when the document is %s',
    async (_, reply) => {
      const stage = await scene();
      const { clock, issuer, provider } = stage;
      issuer.always('discovery', reply);
      await issuer.publish('a', 'b');
      await clock.advance(10 * MINUTE);
      expect(stage.emitted('discovery-failed')).toHaveLength(1);
      expect(provider.status()).toMatchObject({ state: 'fresh', keyIds: ['a', 'b'] });
    },
  );
});

describe('a key set with bad members', () => {
  it('[34] serves its good keys, uses none of the bad and reports each of them once', async () => {
    const { published, bad } = await mixedBag();
    const stage = await scene({ start: false });
    const { clock, issuer, provider } = stage;
    issuer.published = published;
    await provider.start();
    expect(provider.status()).toMatchObject({ state: 'fresh', keyIds: ['a', 'b'] });
    expect(await stage.show('a')).toBe('accepted');
    expect(await stage.show('b')).toBe('accepted');
    for (const member of bad.filter(({ forge }) => forge)) {
      const outcome = await stage.verdict(forgedToken(member, issuer.url, clock.now()));
      expect([member.name, outcome]).toEqual([member.name, REFUSED]);
      // So that none is refused by the budget alone.
      await clock.advance(5000);
    }
    await clock.advance(30 * MINUTE);
    expect(stage.attempts('automatic')).toBeGreaterThanOrEqual(3);
    const skipped = stage.emitted('key-skipped').map(({ kid, fault }) => ({ kid, fault }));
    expect(skipped).toEqual(bad.map(({ kid, fault }) => ({ kid, fault })));
  });

  it('[34] keeps the good key when the others are the worst of members', async () => {
    const stage = await scene({ start: false });
    const worst = [null, 0, '', 'a', [], [[]], {}, { kty: {} }, { kty: 'EC' }, { kty: '__proto__' }];
    const members = [...worst.map((member) => JSON.stringify(member)), nested, JSON.stringify(good)];
    stage.issuer.always('jwks', text(`{"keys":[${members.join(',')}]}`));
    await stage.provider.start();
    expect(stage.provider.status()).toMatchObject({ state: 'fresh', lastFailure: undefined });
    expect(await stage.show('a')).toBe('accepted');
  });

  it('[34] keeps keys apart when neither can be serialized', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const [old, fresh] = await Promise.all([keyOf('old'), keyOf('fresh')]);
    const publish = ({ jwk }: ScenarioKey): void => {
      const deep = JSON.stringify({ ...jwk, deep: 0 }).replace('"deep":0', `"deep":${nested}`);
      issuer.always('jwks', text(`{"keys":[${deep},${JSON.stringify(good)}]}`));
    };
    publish(old);
    await clock.advance(10 * MINUTE);
    publish(fresh);
    await clock.advance(10 * MINUTE);
    expect(await stage.show('old')).toBe(REFUSED);
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.emitted('key-skipped')).toEqual([expect.objectContaining({ fault: 'malformed' })]);
  });

  it('[34] withdraws a good key when its member has turned bad', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer } = stage;
    const { jwk } = await keyOf('a');
    issuer.published = [{ ...jwk, use: 'enc' }, (await keyOf('b')).jwk];
    await clock.advance(10 * MINUTE);
    expect(await stage.show('a')).toBe(REFUSED);
    expect(await stage.show('b')).toBe('accepted');
  });
});

describe('a body without end', () => {
  it('[35] stops reading an endless body early, however it is sent', async () => {
    const { clock, issuer, provider } = await scene();
    const chunk = new Uint8Array(16_384).fill(0x20);
    let pulled = 0;
    let isCancelled = false;
    issuer.always('jwks', () => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          pulled += chunk.length;
          controller.enqueue(chunk);
        },
        cancel() {
          isCancelled = true;
        },
      });
      return new Response(body);
    });
    await clock.advance(10 * MINUTE);
    expect(provider.status().lastFailure?.fault).toBe('too-large');
    expect(pulled).toBeGreaterThan(524_288);
    expect(pulled).toBeLessThanOrEqual(524_288 + 4 * chunk.length);
    expect(isCancelled).toBe(true);
    expect(provider.status().keyIds).toEqual(['a']);
  });

  it('[35] counts bytes, and accepts a body exactly of the limit', async () => {
    for (const extra of [0, 1]) {
      const { clock, issuer, provider } = await scene({ metadata: { maxResponseSize: 4096 } });
      const { jwk } = await keyOf('b');
      const document = JSON.stringify({ keys: [jwk], padding: '' });
      const padding = 'é'.repeat(1) + '0'.repeat(4096 - document.length - 2 + extra);
      issuer.always('jwks', json({ keys: [jwk], padding }));
      await clock.advance(10 * MINUTE);
      expect(provider.status().keyIds).toEqual([extra === 0 ? 'b' : 'a']);
    }
  });

  it('[35] does not read the body of an error answer', async () => {
    const { clock, issuer, provider } = await scene();
    let pulled = 0;
    issuer.always('all', () => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new Uint8Array(16_384));
          pulled++;
        },
      });
      return new Response(body, { status: 500 });
    });
    await clock.advance(10 * MINUTE);
    expect(provider.status().lastFailure?.fault).toBe('status');
    // Each stream of the two documents fills its own buffer of one.
    expect(pulled).toBeLessThanOrEqual(2);
  });

  it.each([301, 302, 303, 307, 308])('[35] rejects status %i and does not call its target', async (code) => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    issuer.always('all', status(code, { location: 'https://issuer.test/canary' }));
    await clock.advance(11 * MINUTE);
    expect(provider.status().lastFailure?.fault).toBe('redirect');
    expect(issuer.calls('other')).toBe(0);
    expect(await stage.show('a')).toBe('accepted');
  });
});

function discovery(change: Readonly<Record<string, unknown>>): Reply {
  return json({ issuer: 'https://issuer.test', jwks_uri: 'https://issuer.test/jwks', ...change });
}

async function half(response: Response): Promise<Response> {
  const body = await response.text();
  return new Response(body.slice(0, body.length / 2));
}

interface BadMember {
  readonly name: string;
  readonly kid: string | undefined;
  readonly fault: KeyFault;
  readonly jwk: unknown;
  /** Signs so that a verifier would accept it if it used the member. */
  readonly forge?: { readonly alg: string; readonly sign: (input: string) => Buffer };
}

async function mixedBag(): Promise<{ published: readonly unknown[]; bad: readonly BadMember[] }> {
  const [broken, enc, leaked] = [ecPair(), ecPair(), ecPair()];
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const bad: readonly BadMember[] = [
    { name: 'null', kid: undefined, fault: 'malformed', jwk: null },
    {
      name: 'broken',
      kid: 'broken',
      fault: 'malformed',
      jwk: { ...publicJwk(broken), kid: 'broken', x: 'AAAA' },
      forge: { alg: 'ES256', sign: ecSigner(broken) },
    },
    {
      name: 'unknown kty',
      kid: 'strange',
      fault: 'unsupported',
      jwk: { kty: 'PQ', kid: 'strange', x: 'AA' },
    },
    {
      name: 'for encryption',
      kid: 'enc',
      fault: 'not-for-signatures',
      jwk: { ...publicJwk(enc), kid: 'enc', use: 'enc' },
      forge: { alg: 'ES256', sign: ecSigner(enc) },
    },
    {
      name: 'private',
      kid: 'leaked',
      fault: 'private',
      jwk: { ...leaked.privateKey.export({ format: 'jwk' }), kid: 'leaked', use: 'sig' },
      forge: { alg: 'ES256', sign: ecSigner(leaked) },
    },
    {
      name: 'symmetric',
      kid: 'secret',
      fault: 'symmetric',
      jwk: { kty: 'oct', k: 'c2VjcmV0', kid: 'secret' },
    },
    {
      name: 'RSA 1024',
      kid: 'small',
      fault: 'weak',
      jwk: { ...publicJwk(small), kid: 'small', use: 'sig' },
      forge: { alg: 'RS256', sign: (input) => sign('sha256', Buffer.from(input), small.privateKey) },
    },
    {
      name: 'RSA with exponent 1',
      kid: 'exponent-1',
      fault: 'weak',
      jwk: { ...publicJwk(rsa), e: 'AQ', kid: 'exponent-1', use: 'sig' },
      // No private key is needed for this one: a number to the power of 1 is itself.
      forge: { alg: 'RS256', sign: (input) => encodedDigest(input, 256) },
    },
  ];
  const [a, b] = await Promise.all([keyOf('a'), keyOf('b')]);
  return { published: [a.jwk, ...bad.map(({ jwk }) => jwk), b.jwk], bad };
}

function ecPair(): KeyPairKeyObjectResult {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function publicJwk({ publicKey }: KeyPairKeyObjectResult): JsonWebKey {
  return publicKey.export({ format: 'jwk' });
}

function ecSigner({ privateKey }: KeyPairKeyObjectResult): (input: string) => Buffer {
  return (input) => sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
}

/** RFC 8017 §9.2, EMSA-PKCS1-v1_5 with SHA-256. */
function encodedDigest(input: string, length: number): Buffer {
  const prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex');
  const info = Buffer.concat([prefix, createHash('sha256').update(input).digest()]);
  const padding = Buffer.alloc(length - info.length - 3, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info]);
}

function forgedToken({ kid, forge }: BadMember, iss: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  const claims = { iss, aud: 'api', sub: 'mallory', iat: seconds, exp: seconds + 3600 };
  const input = [{ alg: forge?.alg, kid, typ: 'at+jwt' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${input}.${forge?.sign(input).toString('base64url')}`;
}

await keyOf('b');
