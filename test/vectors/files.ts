import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

/*
 * The public vectors, read in place: they are other people's work under other licences, and not part of this
 * repository. `VECTORS_DIR` says where they are; the default is a folder beside the repository.
 */

const FOLDER =
  process.env['VECTORS_DIR'] ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** Why the vector specs do not run; `undefined` when they do. */
export const missing = existsSync(FOLDER)
  ? undefined
  : `skipped: no public test vectors in ${FOLDER} (set VECTORS_DIR to where they are)`;

if (missing !== undefined) process.stderr.write(`test/vectors ${missing}\n`);

const jwk = v.record(v.string(), v.unknown());
/** A JWK, as published or with its private members. */
export type Jwk = v.InferOutput<typeof jwk>;

const keySet = v.union([
  v.object({ keys: v.array(jwk) }),
  v.pipe(
    jwk,
    v.transform((key) => ({ keys: [key] })),
  ),
]);

/** A serialization that is JSON stands in some files as text, in others as an object. */
const token = v.union([
  v.string(),
  v.pipe(
    v.unknown(),
    v.transform((value) => (value === undefined || value === null ? '' : JSON.stringify(value))),
  ),
]);

const vector = v.pipe(
  v.object({
    tcId: v.number(),
    comment: v.string(),
    jws: v.optional(token),
    jwe: v.optional(token),
    result: v.picklist(['valid', 'invalid']),
  }),
  v.transform(({ jws, jwe, ...rest }) => ({ ...rest, token: jws ?? jwe ?? '' })),
);

const wycheproof = v.object({
  numberOfTests: v.number(),
  testGroups: v.array(
    v.object({ comment: v.string(), private: keySet, public: v.optional(keySet), tests: v.array(vector) }),
  ),
});

/** One test of Wycheproof, with the keys of its group. */
export interface WycheproofVector {
  readonly tcId: number;
  readonly comment: string;
  readonly token: string;
  readonly result: 'valid' | 'invalid';
  /** The key set an issuer with these keys would publish. Groups of symmetric keys have no other than the secret one. */
  readonly published: readonly Jwk[];
  readonly privateKeys: readonly Jwk[];
}

/** A file of Wycheproof; no vectors when the folder is not there. */
export function readWycheproof(name: string): {
  readonly numberOfTests: number;
  readonly vectors: readonly WycheproofVector[];
} {
  if (missing !== undefined) return { numberOfTests: 0, vectors: [] };
  const { numberOfTests, testGroups } = v.parse(wycheproof, readJson('wycheproof', name));
  const vectors = testGroups.flatMap((group) =>
    group.tests.map((test) => ({
      ...test,
      published: (group.public ?? group.private).keys,
      privateKeys: group.private.keys,
    })),
  );
  return { numberOfTests, vectors };
}

const example = v.object({
  title: v.optional(v.string(), ''),
  input: v.object({
    alg: v.union([v.string(), v.array(v.string())]),
    key: v.optional(v.union([jwk, v.array(jwk)])),
  }),
  output: v.record(v.string(), v.unknown()),
});

/** One token of a cookbook, in one of its serializations. */
export interface CookbookToken {
  readonly name: string;
  readonly alg: string;
  readonly published: readonly Jwk[];
  readonly serialization: string;
  readonly token: string;
}

/** The tokens of an example: compact, JSON and flattened JSON. */
function tokensOf(name: string, document: unknown): readonly CookbookToken[] {
  const { input, output } = v.parse(example, document);
  const published = [input.key ?? []].flat().map(publicPart);
  return Object.entries(output).map(([serialization, value]) => ({
    name: `${name} (${serialization})`,
    alg: [input.alg].flat().join(' '),
    published: typeof value === 'string' ? published.map((key) => withKidOf(value, key)) : published,
    serialization,
    token: typeof value === 'string' ? value : JSON.stringify(value),
  }));
}

/** A key as an issuer publishes it for a token that names it: the examples of ML-DSA leave its `kid` out. */
function withKidOf(token: string, key: Jwk): Jwk {
  if (key['kid'] !== undefined || key['kty'] !== 'AKP') return key;
  const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  return { ...key, kid: v.parse(v.object({ kid: v.string() }), header).kid };
}

/** RFC 7520, RFC 7797 and RFC 8037, all examples but the keys. */
export function readCookbook(): readonly CookbookToken[] {
  const nesting = v.object({ sign: v.unknown(), encrypt: v.unknown() });
  return jsonFiles('ietf-jose-cookbook')
    .filter((name) => !name.startsWith('jwk/'))
    .flatMap((name) => {
      const document = readJson('ietf-jose-cookbook', name);
      if (!v.is(nesting, document)) return tokensOf(name, document);
      return [...tokensOf(`${name} sign`, document.sign), ...tokensOf(`${name} encrypt`, document.encrypt)];
    });
}

/** The keys of RFC 7520 §3, as they are: some private, some symmetric. */
export function readCookbookKeys(): readonly { readonly name: string; readonly key: Jwk }[] {
  return jsonFiles('ietf-jose-cookbook')
    .filter((name) => name.startsWith('jwk/'))
    .map((name) => ({ name, key: v.parse(jwk, readJson('ietf-jose-cookbook', name)) }));
}

/** The cookbook of panva/jose: RFC 7520 again, Ed25519 and ML-DSA. */
export function readPanvaCookbook(): readonly CookbookToken[] {
  if (missing !== undefined) return [];
  const documents = v.parse(
    v.array(v.object({ title: v.string() })),
    readJson('panva-jose', 'jws_cookbook.json'),
  );
  const full = v.parse(v.array(v.unknown()), readJson('panva-jose', 'jws_cookbook.json'));
  return documents.flatMap(({ title }, index) => tokensOf(title, full[index]));
}

const dpop = v.object({
  access_token: v.string(),
  jkt: v.string(),
  ath: v.string(),
  proofs: v.array(
    v.object({ where: v.string(), htm: v.string(), htu: v.string(), iat: v.number(), proof: v.string() }),
  ),
});

/** The DPoP proofs of RFC 9449, and the access token they go with. */
export function readDpopExamples(): v.InferOutput<typeof dpop> {
  if (missing !== undefined) return { access_token: '', jkt: '', ath: '', proofs: [] };
  return v.parse(dpop, readJson('rfc9449', 'dpop_examples.json'));
}

const SECRET_MEMBERS = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv', 'k']);

/** A JWK without its secrets, as an issuer should publish it. */
export function publicPart(key: Jwk): Jwk {
  return Object.fromEntries(Object.entries(key).filter(([name]) => !SECRET_MEMBERS.has(name)));
}

function jsonFiles(folder: string): readonly string[] {
  if (missing !== undefined) return [];
  const root = join(FOLDER, folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}

function readJson(...path: readonly string[]): unknown {
  return JSON.parse(readFileSync(join(FOLDER, ...path), 'utf8'));
}
