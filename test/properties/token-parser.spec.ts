import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import * as fc from 'fast-check';
import { compactVerify, decodeProtectedHeader, exportJWK, generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { resolveAuthOptions } from '../../lib/options/resolve-options.js';
import { TokenError } from '../../lib/errors/token.errors.js';
import { IssuerMetadata } from '../../lib/keys/issuer-metadata.js';
import { algorithmPolicy } from '../../lib/keys/algorithms.js';
import { parseKeySet } from '../../lib/keys/parse-key-set.js';
import { parseToken } from '../../lib/token/parse/parse-token.js';
import { IssuerDirectory } from '../../lib/token/trusted-issuer.js';
import { verifySignature } from '../../lib/token/verify-signature.js';
import { jsonText, objectOf } from './arbitraries.js';
import { PATIENCE, runs } from './settings.js';

const ISSUER = 'https://issuer.test';
const NOW = Date.UTC(2026, 0, 1);
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'ES512', 'Ed25519'];
const HEADER_MEMBERS = ['alg', 'kid', 'typ', 'cty', 'crit', 'b64', 'zip', 'enc', 'jwk', 'jku', 'x5c', 'x5u'];
const CLAIMS = { iss: ISSUER, aud: 'api', sub: 'alice', exp: NOW / 1000 + 300 };

const options = resolveAuthOptions({ issuer: ISSUER, audience: 'api', algorithms: ALGORITHMS }, {});
const issuers = new IssuerDirectory(options.issuers);

interface Signer {
  readonly alg: string;
  readonly key: KeyObject;
}

const signers = await Promise.all(
  ALGORITHMS.map(async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk: JsonWebKey = { ...(await exportJWK(privateKey)) };
    return {
      alg,
      key: createPrivateKey({ key: jwk, format: 'jwk' }),
      published: { ...(await exportJWK(publicKey)), kid: alg, alg },
    };
  }),
);
const metadata = new IssuerMetadata(
  ISSUER,
  `${ISSUER}/jwks`,
  (
    await parseKeySet(
      { keys: signers.map(({ published }) => published) },
      algorithmPolicy(ALGORITHMS),
      undefined,
    )
  ).keys,
);
/** By name, so that a counterexample reads well. */
const algorithm = fc.constantFrom(...ALGORITHMS);

function signerOf(alg: string): Signer {
  const found = signers.find((signer) => signer.alg === alg);
  if (!found) throw new Error(`There is no signer for ${alg}`);
  return found;
}

function segment(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** Signs any segments. */
function signed(alg: string, header: string, payload: string): string {
  const { key } = signerOf(alg);
  const pss = alg.startsWith('PS') ? { padding: 6, saltLength: 32 } : {};
  const digest = alg === 'Ed25519' ? null : `sha${alg.slice(2)}`;
  const input = `${header}.${payload}`;
  const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363', ...pss });
  return `${input}.${signature.toString('base64url')}`;
}

/** The whole way of a token, but for the network: `undefined` when it is refused as it should be. */
function accepted(token: string): unknown {
  try {
    const candidate = parseToken(token, issuers, NOW, 16_384);
    verifySignature(candidate, metadata);
    return candidate.claims;
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}

async function acceptedByJose(token: string, alg: string): Promise<boolean> {
  const [key] = metadata.keysWithId(alg);
  if (!key) throw new Error('There is no key');
  return compactVerify(token, key.publicKey, { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
}

/** Header text: JSON that is nearly right, in ways of which JSON.parse notices some. */
const headerText = fc
  .record({
    given: fc.constantFrom('"alg":"$","kid":"$"', '"alg":"$"', '"kid":"$","alg":"$","typ":"at+jwt"'),
    more: objectOf(HEADER_MEMBERS),
    before: fc.constantFrom('', '', '', ' ', '\n', '\uFEFF', '\0'),
    isFirst: fc.boolean(),
  })
  .map(({ given, more, before, isFirst }) => {
    const rest = more.slice(1, -1);
    const members = (isFirst ? [given, rest] : [rest, given]).filter((part) => part !== '');
    return `${before}{${members.join(',')}}`;
  });

const spelled = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  jsonText(HEADER_MEMBERS).map(segment),
  headerText.map((text) => segment(text.replaceAll('$', 'ES256'))),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

describe('the token parser', { timeout: PATIENCE }, () => {
  it('throws nothing but a TokenError, for any input', () => {
    const token = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(spelled, { maxLength: 6 }).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(token, (text) => {
        // Throws again what is no TokenError.
        accepted(text);
      }),
      runs(2000),
    );
  });

  it('accepts no header that jose rejects, and reads the others as jose does', async () => {
    let acceptances = 0;
    const property = fc.asyncProperty(algorithm, headerText, async (alg, text) => {
      const header = segment(text.replaceAll('$', alg));
      const token = signed(alg, header, segment(JSON.stringify(CLAIMS)));
      if (accepted(token) === undefined) return;
      acceptances++;
      expect(await acceptedByJose(token, alg)).toBe(true);
      expect(parseToken(token, issuers, NOW, 16_384).header).toEqual(decodeProtectedHeader(token));
    });
    await fc.assert(property, runs(700));
    expect(acceptances, 'headers that were good').toBeGreaterThan(25);
  });

  it('rejects a member that stands there twice, at any level and however it is spelled', () => {
    const escape = (text: string): string =>
      text.replace(/./g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
    const twice = fc.record({
      name: fc.constantFrom('kid', 'typ', 'x', '__proto__', 'toString'),
      isEscaped: fc.boolean(),
      depth: fc.nat(3),
      times: fc.constantFrom(1, 2),
    });
    const property = fc.property(algorithm, twice, (alg, { name, isEscaped, depth, times }) => {
      const member = (spelled: string): string => `"${spelled}":"JWT"`;
      const members = [name, isEscaped ? escape(name) : name].slice(0, times).map(member).join(',');
      const nested = `${'"y":{'.repeat(depth)}${members}${'}'.repeat(depth)}`;
      const token = signed(alg, segment(`{"alg":"${alg}",${nested}}`), segment(JSON.stringify(CLAIMS)));
      // The control: once is no offence, unless it says that some other key signed.
      const isGood = times === 1 && !(name === 'kid' && depth === 0);
      expect(accepted(token) !== undefined).toBe(isGood);
    });
    fc.assert(property, runs(200));
  });

  // RFC 8259 §8.1; jose drops the mark, and so gives one header two spellings.
  it('rejects what stands behind a byte order mark', () => {
    const marks = fc.constantFrom<readonly [string, string]>(['', ''], ['\uFEFF', ''], ['', '\uFEFF']);
    const property = fc.property(algorithm, marks, (alg, [header, payload]) => {
      const text = `{"alg":"${alg}","kid":"${alg}"}`;
      const token = signed(alg, segment(header + text), segment(payload + JSON.stringify(CLAIMS)));
      expect(accepted(token) !== undefined).toBe(header + payload === '');
    });
    fc.assert(property, runs(50));
  });

  it('reads claims as JSON.parse does, or rejects them', () => {
    const claimsText = objectOf(['iss', 'aud', 'exp', 'nbf', 'iat', 'sub', 'cnf', 'typ', 'jti', 'tid']).map(
      (text) => `${JSON.stringify(CLAIMS).slice(0, -1)}${text === '{}' ? '}' : `,${text.slice(1)}`}`,
    );
    let acceptances = 0;
    const property = fc.property(algorithm, claimsText, (alg, text) => {
      const header = segment(JSON.stringify({ alg, kid: alg }));
      const claims = accepted(signed(alg, header, segment(text)));
      if (claims === undefined) return;
      acceptances++;
      expect(claims).toEqual(JSON.parse(text));
      expect(claims).toMatchObject({ iss: ISSUER, aud: 'api' });
    });
    fc.assert(property, runs(700));
    expect(acceptances, 'claims that were good').toBeGreaterThan(25);
  });
});

/** What can be done to a token, to its text or to the bytes under it. Data, so that a counterexample reads well. */
const mutation = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    at: fc.oneof(
      { weight: 4, arbitrary: fc.nat(2000) },
      { weight: 1, arbitrary: fc.constant('end' as const) },
    ),
    cut: fc.nat(3),
    put: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.constantFrom(' ', '\n', '=', '==', '.', '\0'),
    ),
  }),
  fc.record({ kind: fc.constant('flip' as const), part: fc.nat(2), at: fc.nat(2000), bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant('grow' as const),
    part: fc.nat(2),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    isFront: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('shrink' as const), part: fc.nat(2), length: fc.nat(64) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(token: string, change: Mutation): string {
  if (change.kind === 'text') {
    const at = change.at === 'end' ? token.length : change.at % (token.length + 1);
    return token.slice(0, at) + change.put + token.slice(at + change.cut);
  }
  const parts = token.split('.');
  const bytes = mutateBytes(Buffer.from(parts[change.part] ?? '', 'base64url'), change);
  return parts.map((part, index) => (index === change.part ? bytes.toString('base64url') : part)).join('.');
}

function mutateBytes(bytes: Buffer, change: Exclude<Mutation, { kind: 'text' }>): Buffer {
  switch (change.kind) {
    case 'flip': {
      const at = change.at % Math.max(1, bytes.length);
      return Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ (1 << change.bit) : byte)));
    }
    case 'grow':
      return Buffer.concat(change.isFront ? [change.bytes, bytes] : [bytes, change.bytes]);
    default:
      return bytes.subarray(0, change.length);
  }
}

describe('a token that was good', { timeout: PATIENCE }, () => {
  const good = (alg: string, claims: object = CLAIMS): string =>
    signed(alg, segment(JSON.stringify({ alg, kid: alg })), segment(JSON.stringify(claims)));

  const originals = new Map(ALGORITHMS.map((alg) => [alg, good(alg)]));

  it('accepts it', () => {
    expect([...originals.values()].map(accepted)).toEqual(ALGORITHMS.map(() => CLAIMS));
  });

  it('rejects it after any change of its text or its bytes', () => {
    const property = fc.property(
      algorithm,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      (alg, changes) => {
        const original = originals.get(alg) ?? '';
        const mutated = changes.reduce(mutate, original);
        fc.pre(mutated !== original);
        expect(accepted(mutated)).toBeUndefined();
      },
    );
    fc.assert(property, runs(3000));
  });

  it('rejects a token that is made of parts of two', () => {
    const property = fc.property(
      fc.tuple(algorithm, algorithm),
      fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
      ([one, other], picks) => {
        const tokens = [good(one), good(other, { ...CLAIMS, sub: 'mallory' })];
        const mixed = picks.map((pick, part) => tokens[pick]?.split('.')[part]).join('.');
        // Tokens of one algorithm share their header.
        expect(accepted(mixed) !== undefined).toBe(tokens.includes(mixed));
      },
    );
    fc.assert(property, runs(300));
  });

  it('rejects it with any signature that jose refuses', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 600 }),
      fc
        .constantFrom(64, 96, 132, 256)
        .chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
      fc.constantFrom(64, 96, 132, 256).map((length) => new Uint8Array(length)),
      fc.constantFrom(64, 96, 132, 256).map((length) => new Uint8Array(length).fill(0xff)),
    );
    const property = fc.asyncProperty(algorithm, bytes, async (alg, signature) => {
      const [header = '', payload = ''] = originals.get(alg)?.split('.') ?? [];
      const token = `${header}.${payload}.${Buffer.from(signature).toString('base64url')}`;
      expect(await acceptedByJose(token, alg)).toBe(false);
      expect(accepted(token)).toBeUndefined();
    });
    await fc.assert(property, runs(1000));
  });
});
