import { createHmac } from 'node:crypto';
import { exportJWK, importJWK, type CryptoKey } from 'jose';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { keyOf, status } from '../support/issuers/scripted-issuer.js';
import { scene, type Scene } from '../support/apps/scene.js';
import { watchSignatureChecks } from '../support/apps/signature-checks.js';

const MINUTE = 60_000;
const REFUSED = 'AUTH_TOKEN_SIGNATURE_INVALID';
const start = Date.UTC(2026, 0, 1);
const now = start / 1000;

let signatureChecks: ReturnType<typeof watchSignatureChecks>;
beforeEach(() => {
  signatureChecks = watchSignatureChecks();
});

describe('a cached token', () => {
  it('[40] verifies its signature once, and rejects it from the second it expires', async () => {
    const stage = await scene();
    const { clock, issuer } = stage;
    const token = await issuer.sign('a', { exp: now + 60 });
    for (let i = 0; i < 5; i++) expect(await stage.verdict(token)).toBe('accepted');
    expect(signatureChecks).toHaveBeenCalledTimes(1);
    // 30 s of tolerance.
    await clock.advance(90_000 - 1);
    expect(await stage.verdict(token)).toBe('accepted');
    await clock.advance(1);
    expect(await stage.verdict(token)).toBe('AUTH_TOKEN_EXPIRED');
    expect(signatureChecks).toHaveBeenCalledTimes(1);
  });

  it('[40] rejects it from the second it is older than maxTokenAge', async () => {
    const stage = await scene({ issuer: { maxTokenAge: '1m', clockTolerance: '0s' } });
    const token = await stage.issuer.sign('a');
    expect(await stage.verdict(token)).toBe('accepted');
    await stage.clock.advance(MINUTE - 1);
    expect(await stage.verdict(token)).toBe('accepted');
    await stage.clock.advance(1);
    expect(await stage.verdict(token)).toBe('AUTH_TOKEN_EXPIRED');
  });

  it('[40] rejects it from the moment its key has other material or is withdrawn', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { issuer, provider } = stage;
    const token = await issuer.sign('a');
    expect(await stage.verdict(token)).toBe('accepted');
    await issuer.publish(await keyOf('a', { material: 'new' }), 'b');
    await provider.refreshNow();
    expect(await stage.verdict(token)).toBe(REFUSED);
    await issuer.publish('b');
    await provider.refreshNow();
    expect(await stage.verdict(token)).toBe(REFUSED);
  });

  it('[40] keeps its result when a refresh changes nothing about its key', async () => {
    const stage = await scene();
    const token = await stage.issuer.sign('a');
    expect(await stage.verdict(token)).toBe('accepted');
    await stage.issuer.publish('a', 'b');
    await stage.provider.refreshNow();
    expect(await stage.verdict(token)).toBe('accepted');
    expect(signatureChecks).toHaveBeenCalledTimes(1);
  });

  it('[40] rejects it with AUTH_METADATA_UNAVAILABLE when the last known good keys have expired', async () => {
    const stage = await scene({ metadata: { lastKnownGoodLifetime: 0, refreshWait: 0 } });
    const token = await stage.issuer.sign('a');
    expect(await stage.verdict(token)).toBe('accepted');
    stage.issuer.always('all', status(500));
    await stage.clock.advance(10 * MINUTE);
    const refused = stage.watch(token);
    await stage.clock.advance(0);
    expect(await refused.settled).toBe('AUTH_METADATA_UNAVAILABLE');
  });
});

describe('a wall clock', () => {
  it('[40] refreshes and withdraws keys on time when it goes back', async () => {
    const stage = await scene({ keys: ['a', 'b'] });
    const { clock, issuer } = stage;
    const token = await issuer.sign('a', { nbf: now - 3600, iat: now - 3600 });
    clock.setWallClock(start - 30 * MINUTE);
    expect(await stage.verdict(token)).toBe('accepted');
    await issuer.publish('b');
    await clock.advance(10 * MINUTE);
    expect(stage.attempts('automatic')).toBe(1);
    expect(await stage.verdict(token)).toBe(REFUSED);
  });

  it('[40] rejects tokens that expire, and keeps keys and budget, when it leaps ahead', async () => {
    const stage = await scene();
    const { clock, issuer, provider } = stage;
    const token = await issuer.sign('a', { exp: now + 60 });
    expect(await stage.verdict(token)).toBe('accepted');
    clock.setWallClock(start + 365 * 24 * 60 * MINUTE);
    expect(await stage.verdict(token)).toBe('AUTH_TOKEN_EXPIRED');
    expect(provider.status().state).toBe('fresh');
    expect(await stage.show('a')).toBe('accepted');
    expect(stage.attempts()).toBe(0);
  });
});

describe('a wake from sleep', () => {
  /** While the machine sleeps no timer fires; afterwards all of them are late. */
  class SleepyClock extends ManualClock {
    #slept = 0;

    sleep(milliseconds: number): void {
      this.#slept += milliseconds;
      this.setWallClock(this.now() + milliseconds);
    }

    override monotonic(): number {
      return super.monotonic() + this.#slept;
    }

    override async advance(milliseconds: number): Promise<void> {
      await super.advance(milliseconds);
    }
  }

  it('[40] refreshes once for all refreshes that are overdue', async () => {
    const clock = new SleepyClock();
    const stage = await scene({ clock });
    clock.sleep(8 * 60 * MINUTE);
    expect(await stage.show('a')).toBe('accepted');
    await clock.advance(10 * MINUTE);
    expect(stage.attempts('automatic')).toBe(1);
    await clock.advance(10 * MINUTE);
    expect(stage.attempts('automatic')).toBe(2);
  });

  it('[40] loads before it accepts a token when lastKnownGoodLifetime has passed', async () => {
    const clock = new SleepyClock();
    const stage = await scene({ clock, keys: ['a', 'b'] });
    const token = await stage.issuer.sign('a', { exp: now + 30 * 24 * 3600 });
    expect(await stage.verdict(token)).toBe('accepted');
    await stage.issuer.publish('b');
    clock.sleep(25 * 60 * MINUTE);
    expect(await stage.verdict(token)).toBe(REFUSED);
    expect(await stage.show('b')).toBe('accepted');
    expect(stage.attempts()).toBe(1);
  });
});

describe('the algorithm of a token', () => {
  it('[41] rejects HS256 keyed with anything public before any signature work', async () => {
    const rsa = await keyOf('rsa', { alg: 'RS256' });
    const stage = await scene({ keys: ['a', rsa] });
    const calls = stage.issuer.requests.length;
    for (const key of stage.provider.snapshot()?.keys ?? []) {
      const secrets = [
        key.toPem(),
        key.toPem().trim(),
        key.publicKey.export({ type: 'spki', format: 'der' }),
        JSON.stringify(key.jwk),
        String(key.jwk['n'] ?? key.jwk['x']),
        '',
      ];
      for (const secret of secrets) {
        for (const alg of ['HS256', 'HS384', 'HS512']) {
          expect(await stage.verdict(hmacToken(stage, alg, key.kid, secret))).toBe(
            'AUTH_TOKEN_ALGORITHM_REFUSED',
          );
        }
      }
    }
    expect(signatureChecks).not.toHaveBeenCalled();
    expect(stage.issuer.requests).toHaveLength(calls);
  });

  it.each(['none', 'None', 'NONE', 'nOnE', 'es256', 'ES256 ', '', null, 0, ['ES256'], undefined])(
    '[41] rejects %j before any signature work',
    async (alg) => {
      const stage = await scene();
      const [, claims, signature] = (await stage.issuer.sign('a')).split('.');
      const header = encode({ alg, kid: 'a', typ: 'at+jwt' });
      for (const end of [signature, 'AA']) {
        expect(await stage.verdict(`${header}.${claims}.${end}`)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
      }
      // The parts are read before the header: an empty one is none.
      expect(await stage.verdict(`${header}.${claims}.`)).toBe('AUTH_TOKEN_MALFORMED');
      expect(signatureChecks).not.toHaveBeenCalled();
    },
  );

  it.each(['RS256', 'PS256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
    '[41] rejects %s in the header before any signature work when the key is for ES256',
    async (alg) => {
      const stage = await scene();
      const [, claims, signature] = (await stage.issuer.sign('a')).split('.');
      const token = `${encode({ alg, kid: 'a', typ: 'at+jwt' })}.${claims}.${signature}`;
      expect(await stage.verdict(token)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
      expect(signatureChecks).not.toHaveBeenCalled();
    },
  );

  it('[41] rejects PS256 with an RSA key for RS256 before any signature work', async () => {
    const { jwk, privateKey } = await keyOf('rsa', { alg: 'RS256' });
    const { alg: _, ...unnamed } = jwk;
    for (const published of [jwk, unnamed]) {
      const stage = await scene();
      stage.issuer.published = [published];
      await stage.provider.refreshNow();
      const pss = await asPss(privateKey);
      const key = { kid: 'rsa', alg: 'PS256', jwk, privateKey: pss };
      expect(await stage.show(key)).toBe('AUTH_TOKEN_ALGORITHM_REFUSED');
      expect(signatureChecks).not.toHaveBeenCalled();
      expect(await stage.show(await keyOf('rsa', { alg: 'RS256' }))).toBe('accepted');
      signatureChecks.mockClear();
    }
  });
});

describe('claims', () => {
  const INVALID = 'AUTH_TOKEN_CLAIM_INVALID';
  const dates = [
    '"1"',
    `"${now + 60}"`,
    '-1',
    '1e999',
    '-1e999',
    'null',
    'true',
    '[]',
    '{}',
    `[${now + 60}]`,
  ];

  it.each(dates)('[42] rejects exp when it is %s', async (exp) => {
    const stage = await scene();
    expect(await stage.verdict(await withClaim(stage, 'exp', exp))).toBe(INVALID);
  });

  it.each(dates.filter((date) => date !== 'null'))(
    '[42] rejects nbf and iat when they are %s',
    async (date) => {
      const stage = await scene();
      for (const name of ['nbf', 'iat']) {
        expect(await stage.verdict(await withClaim(stage, name, date))).toBe(INVALID);
      }
    },
  );

  it('[42] accepts nbf and iat that are null, like absent ones', async () => {
    const stage = await scene();
    for (const name of ['nbf', 'iat'])
      expect(await stage.verdict(await withClaim(stage, name, 'null'))).toBe('accepted');
  });

  it('[42] rejects a token when exp is missing', async () => {
    const stage = await scene();
    expect(await stage.show('a', { exp: undefined })).toBe(INVALID);
    expect(await stage.verdict(await stage.issuer.signText('a', '{}'))).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('[42] accepts exp when it is a fraction or far away', async () => {
    const stage = await scene();
    expect(await stage.verdict(await withClaim(stage, 'exp', `${now}.5`))).toBe('accepted');
    expect(await stage.verdict(await withClaim(stage, 'exp', '9e15'))).toBe('accepted');
  });

  it.each([
    ['an object', { api: true }],
    ['an object that looks like a list', { 0: 'api', length: 1 }],
    ['a nested list', [['api']]],
    ['a list with something else in it', ['api', 1]],
    ['a list with null', ['api', null]],
    ['an empty list', []],
    ['null', null],
    ['absent', undefined],
    ['a longer one', 'api-admin'],
    ['a part of it', 'ap'],
    ['several in one', 'api other'],
    ['of another case', 'API'],
    ['with a space', ' api'],
  ])('[42] rejects aud when it is %s', async (_, aud) => {
    const stage = await scene();
    expect(await stage.show('a', { aud })).toBe('AUTH_TOKEN_AUDIENCE_MISMATCH');
  });

  it('[42] accepts aud when it is a list that has the audience', async () => {
    const stage = await scene();
    expect(await stage.show('a', { aud: ['other', 'api'] })).toBe('accepted');
  });

  it.each([
    ['a list', ['https://issuer.test']],
    ['with a slash', 'https://issuer.test/'],
    ['of another case', 'https://ISSUER.test'],
    ['with a space', 'https://issuer.test '],
    ['a longer one', 'https://issuer.test.evil'],
    ['a part of it', 'https://issuer'],
    ['with a default port', 'https://issuer.test:443'],
    ['an object', { toString: 'https://issuer.test' }],
    ['null', null],
    ['absent', undefined],
  ])('[42] rejects iss when it is %s', async (_, iss) => {
    const stage = await scene();
    expect(await stage.show('a', { iss })).toBe('AUTH_TOKEN_ISSUER_UNKNOWN');
  });

  it('[42] rejects a claim that is named twice', async () => {
    const stage = await scene();
    const token = await withClaim(stage, 'exp', `${now - 999},"exp":${now + 60}`);
    expect(await stage.verdict(token)).toBe('AUTH_TOKEN_MALFORMED');
    expect(stage.attempts()).toBe(0);
  });
});

describe('what an authenticated token holds', () => {
  it('[46] returns frozen claims, header and scopes, so that no request changes them for another', async () => {
    const { authenticator, issuer } = await scene();
    const token = await issuer.sign('a', { groups: ['staff'], nested: { admin: false } });
    const first = await authenticator.authenticate(token);
    const { claims, header } = first;
    expect(Reflect.set(claims, 'sub', 'mallory')).toBe(false);
    expect(Reflect.set(claims['nested'] ?? {}, 'admin', true)).toBe(false);
    expect(() => Array.isArray(claims['groups']) && claims['groups'].push('root')).toThrow(TypeError);
    expect(Reflect.set(header, 'alg', 'none')).toBe(false);
    expect(Reflect.set(first, 'user', {})).toBe(false);
    expect(() => Object.assign(first.scopes, ['all'])).toThrow(TypeError);
    const second = await authenticator.authenticate(token);
    expect(signatureChecks).toHaveBeenCalledTimes(1);
    expect(second.claims).toMatchObject({ sub: 'alice', groups: ['staff'], nested: { admin: false } });
    expect(second.user).toEqual(second.claims);
  });

  it('[46] calls validate anew for each request', async () => {
    const { authenticator, issuer } = await scene({ issuer: { validate: ({ sub }) => ({ sub }) } });
    const token = await issuer.sign('a');
    const first = await authenticator.authenticate(token);
    Object.assign(first.user ?? {}, { sub: 'mallory' });
    expect((await authenticator.authenticate(token)).user).toEqual({ sub: 'alice' });
    expect(signatureChecks).toHaveBeenCalledTimes(1);
  });
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function hmacToken({ issuer }: Scene, alg: string, kid: string | undefined, secret: string | Buffer): string {
  const claims = { iss: issuer.url, aud: 'api', sub: 'mallory', iat: now, exp: now + 60 };
  const input = `${encode({ alg, kid, typ: 'at+jwt' })}.${encode(claims)}`;
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`;
}

/** The JSON of one claim, letter by letter. */
function withClaim({ issuer }: Scene, name: string, value: string): Promise<string> {
  const claims = JSON.stringify({ iss: issuer.url, aud: 'api', exp: now + 60, [name]: 0 });
  return issuer.signText(
    'a',
    claims.replace(new RegExp(`"${name}":\\d+`), () => `"${name}":${value}`),
  );
}

async function asPss(key: CryptoKey): Promise<CryptoKey> {
  const imported = await importJWK(await exportJWK(key), 'PS256');
  if (imported instanceof Uint8Array) throw new Error('Not a key');
  return imported;
}

await Promise.all(['a', 'b'].map((kid) => keyOf(kid)));
