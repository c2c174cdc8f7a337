import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { ALGORITHMS, findAlgorithm } from '../keys/algorithms.js';

/** How {@link TestIssuer.rotateKeys} rolls over. */
export interface RotateKeysOptions {
  /** Leave the keys published before in the set (an overlap); `false` leaves the new key alone. Default `true`. */
  keepOld?: boolean | undefined;
  /** `alg` of the new key. Default: the present signing key's. */
  alg?: string | undefined;
}

/** The key {@link TestIssuer.publishKey} makes. */
export interface PublishKeyOptions {
  /** Default: the present signing key's. */
  alg?: string | undefined;
  /** Default: made up, and unlike any other issuer's. */
  kid?: string | undefined;
  /** `use` of the published key. Default `'sig'`. */
  use?: string | undefined;
  /** Members laid over the published key, such as `{ issuer: '…' }`; `undefined` takes one out: `{ alg: undefined }`. */
  jwk?: Readonly<Record<string, unknown>> | undefined;
}

/** A key pair of the issuer. Never changes: new material is a new object under the same `kid`. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateJwk: JWK;
  /** The member of the key set. */
  readonly jwk: unknown;
  readonly recipe: KeyRecipe;
}

interface KeyRecipe {
  readonly kid: string;
  readonly alg: string;
  readonly use: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** A member of the key set: a key of the issuer's, or a value that a test added. */
type Member = IssuerKey | { readonly kid: string | undefined; readonly jwk: unknown };

/** The keys of one issuer: those it knows, those it publishes, and the one it signs with for each algorithm. */
export class TestIssuerKeys {
  /** The algorithm of the signing key; the key itself is made at its first use. */
  #alg: string;
  readonly #known = new Map<string, IssuerKey>();
  /** The `kid` by algorithm. Promises, so that two concurrent first calls share one key. */
  readonly #signing = new Map<string, Promise<string>>();
  #published: readonly Member[] = [];
  #made = 0;

  constructor(alg: string) {
    familyOf(alg);
    this.#alg = alg;
  }

  /** The key that signs by default. */
  current(): Promise<IssuerKey> {
    return this.#signingKey(this.#alg);
  }

  /** The named key if there is one and it can sign with `alg`; else the signing key of that algorithm. */
  async choose(alg: string | undefined, kid: string | undefined): Promise<IssuerKey> {
    await this.current();
    const named = kid === undefined ? undefined : this.#known.get(kid);
    if (named && familyOf(named.alg) === familyOf(alg ?? named.alg)) return named;
    return this.#signingKey(alg ?? this.#alg);
  }

  /** The JWKS document. */
  async document(): Promise<{ readonly keys: readonly unknown[] }> {
    await this.current();
    return { keys: this.#published.map((member) => member.jwk) };
  }

  async rotate({ keepOld = true, alg }: RotateKeysOptions): Promise<IssuerKey> {
    await this.current();
    const key = await this.#make({ alg: alg ?? this.#alg });
    if (!keepOld) {
      this.#published = [];
      // A removed key signs no more by default; the next token of that algorithm makes a new one.
      this.#signing.clear();
    }
    this.#publish(key);
    this.use(key.kid);
    return key;
  }

  async publish(options: PublishKeyOptions): Promise<IssuerKey> {
    await this.current();
    const key = await this.#make({ ...options, alg: options.alg ?? this.#alg });
    this.#publish(key);
    // A signing key of an algorithm not used so far serves sign({ alg }) too.
    const isHonest = key.recipe.use === 'sig' && options.jwk === undefined;
    if (isHonest && !this.#signing.has(key.alg)) this.#signing.set(key.alg, Promise.resolve(key.kid));
    return key;
  }

  publishRaw(jwk: unknown): void {
    this.#published = [...this.#published, { kid: kidOf(jwk), jwk }];
  }

  remove(kid: string): void {
    const left = this.#published.filter((member) => member.kid !== kid);
    if (left.length === this.#published.length) throw this.#unknown(kid);
    this.#published = left;
  }

  async replace(kid: string): Promise<void> {
    const fresh = await this.#pair(this.#get(kid).recipe);
    const old = this.#get(kid);
    this.#known.set(kid, fresh);
    this.#published = this.#published.map((member) => (member === old ? fresh : member));
  }

  use(kid: string): void {
    const { alg } = this.#get(kid);
    this.#signing.set(alg, Promise.resolve(kid));
    this.#alg = alg;
  }

  async #signingKey(alg: string): Promise<IssuerKey> {
    const kid = this.#signing.get(alg) ?? this.#makeSigningKey(alg);
    this.#signing.set(alg, kid);
    return this.#get(await kid);
  }

  async #makeSigningKey(alg: string): Promise<string> {
    const key = await this.#make({ alg });
    this.#publish(key);
    return key.kid;
  }

  async #make({ alg, kid, use, jwk }: PublishKeyOptions & { readonly alg: string }): Promise<IssuerKey> {
    this.#made += 1;
    const name = kid ?? `${alg.toLowerCase()}-${this.#made}-${randomBytes(4).toString('hex')}`;
    if (this.#known.has(name)) {
      throw new Error(
        `TestIssuer has a key "${name}" already: replaceKeyMaterial() gives a kid new material`,
      );
    }
    const key = await this.#pair({ kid: name, alg, use: use ?? 'sig', members: jwk ?? {} });
    this.#known.set(name, key);
    return key;
  }

  async #pair(recipe: KeyRecipe): Promise<IssuerKey> {
    const { kid, alg, use, members } = recipe;
    familyOf(alg);
    const pair = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg, use, ...members };
    return { kid, alg, recipe, jwk, privateJwk: await exportJWK(pair.privateKey) };
  }

  #publish(key: IssuerKey): void {
    this.#published = [...this.#published, key];
  }

  #get(kid: string): IssuerKey {
    const key = this.#known.get(kid);
    if (!key) throw this.#unknown(kid);
    return key;
  }

  #unknown(kid: string): Error {
    const published = this.#published.map((member) => member.kid ?? '(no kid)').join(', ');
    return new Error(
      `TestIssuer has no key "${kid}" to do this with; published are: ${published || 'none yet'}`,
    );
  }
}

/** Algorithms with one value here can share a key: RSA keys serve six, Ed25519 keys go by two names (RFC 9864). */
function familyOf(alg: string): string {
  const algorithm = findAlgorithm(alg);
  if (algorithm) return algorithm.kty === 'RSA' ? 'RSA' : (algorithm.crv ?? alg);
  const names = ALGORITHMS.map(({ name }) => name).join(', ');
  throw new Error(
    `TestIssuer makes no keys for alg "${alg}"; it does for ${names} (ML-DSA where the runtime has it). ` +
      'To forge a token pass your own key: sign(claims, { alg, key })',
  );
}

function kidOf(jwk: unknown): string | undefined {
  if (typeof jwk !== 'object' || jwk === null || !('kid' in jwk)) return undefined;
  return typeof jwk.kid === 'string' ? jwk.kid : undefined;
}
