import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../lib/keys/fingerprint.js';
import { algorithmPolicy } from '../../lib/keys/algorithms.js';
import { parseJwk } from '../../lib/keys/parse-jwk.js';
import {
  missing,
  readCookbook,
  readCookbookKeys,
  readPanvaCookbook,
  type CookbookToken,
  type Jwk,
} from './files.js';
import { stageOf, Tally, type Stage } from './stage.js';

const ASYMMETRIC = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$|^ML-DSA-/;

/** ML-DSA came to Node with OpenSSL 3.5, in 24.8; before, such a key is skipped like any other unknown one. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const hasMlDsa = major > 24 || (major === 24 && minor >= 8);

/** Only what an access token can look like comes as far as its claims: compact, and signed with a key pair. */
function stageExpected({ alg, serialization }: CookbookToken): Stage {
  if (serialization !== 'compact') return 'structure';
  if (alg.startsWith('ML-DSA-') && !hasMlDsa) return 'key';
  if (ASYMMETRIC.test(alg)) return 'claims';
  return alg === 'HS256' ? 'header' : 'structure';
}

/** HS256 tokens that do not come as far as their header: detached content, and a payload that is not base64url. */
const REFUSED_BY_FORM = ['jws/4_5.', 'rfc7797/'];

async function run(token: CookbookToken, tally: Tally): Promise<void> {
  // A key without alg serves RS256, or the one RSA algorithm that is configured: so the token's own is.
  const algorithms = ASYMMETRIC.test(token.alg) ? { algorithms: [token.alg] } : {};
  const stage = await stageOf(token.token, token.published, algorithms);
  tally.add(stage);
  const isRefusedByForm = REFUSED_BY_FORM.some((prefix) => token.name.startsWith(prefix));
  expect(stage).toBe(isRefusedByForm ? 'structure' : stageExpected(token));
}

describe.skipIf(missing)(`RFC 7520, RFC 7797 and RFC 8037 ${missing ?? ''}`, () => {
  const tokens = readCookbook();
  const tally = new Tally();

  it.each(tokens)('returns the expected stage for $name, $alg', (token) => run(token, tally));

  it('counts every token at its stage', () => {
    expect(tally.counts).toEqual({ structure: 63, header: 1, claims: 5 });
  });

  it('allows RS256 alone for an RSA key without alg when several RSA algorithms are allowed', async () => {
    const pss = tokens.filter(({ name }) => name === 'jws/4_2.rsa-pss_signature.json (compact)');
    const stages = await Promise.all(pss.map(({ token, published }) => stageOf(token, published)));
    expect(stages).toEqual(['key']);
  });
});

describe.skipIf(missing)(`the keys of RFC 7520 §3 ${missing ?? ''}`, () => {
  const verdicts: Readonly<Record<string, string>> = {
    'jwk/3_1.ec_public_key.json': 'fit to verify',
    'jwk/3_2.ec_private_key.json': 'private',
    'jwk/3_3.rsa_public_key.json': 'fit to verify',
    'jwk/3_4.rsa_private_key.json': 'private',
    'jwk/3_5.symmetric_key_mac_computation.json': 'symmetric',
    'jwk/3_6.symmetric_key_encryption.json': 'symmetric',
  };

  it('accepts the public ones, and no secret one', () => {
    const judge = (key: Jwk) => parseJwk(key, fingerprint(key), algorithmPolicy(['RS256', 'ES512']));
    const judged = readCookbookKeys().map(({ name, key }) => [name, judge(key)] as const);
    expect(
      Object.fromEntries(
        judged.map(([name, key]) => [name, typeof key === 'string' ? key : 'fit to verify']),
      ),
    ).toEqual(verdicts);
  });
});

describe.skipIf(missing)(`the cookbook of panva/jose ${missing ?? ''}`, () => {
  const tally = new Tally();

  it.each(readPanvaCookbook())('returns the expected stage for $name, $alg', (token) => run(token, tally));

  it('counts every token at its stage, and ML-DSA ones at the key when the runtime has none', () => {
    const mlDsa = hasMlDsa ? { claims: 7 } : { claims: 4, key: 3 };
    expect(tally.counts).toEqual({ structure: 22, header: 1, ...mlDsa });
  });

  it('skips an ML-DSA key exactly where the runtime cannot import it', () => {
    const keys = readPanvaCookbook()
      .filter(({ alg, serialization }) => alg.startsWith('ML-DSA-') && serialization === 'compact')
      .flatMap(({ alg, published }) =>
        published.map((key) => parseJwk(key, fingerprint(key), algorithmPolicy([alg]))),
      );
    const isUsed = keys.map((key) => typeof key !== 'string');
    expect(isUsed).toEqual([hasMlDsa, hasMlDsa, hasMlDsa]);
  });
});
