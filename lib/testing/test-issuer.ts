import type { AuthModuleOptions, IssuerOptions } from '../auth.options.js';
import { SystemClock, type Clock } from '../time/clock.js';
import { TestDpopClient } from './dpop/test-dpop-client.js';
import type { TestIssuerHeaders } from './test-issuer.answers.js';
import type { TestIssuerFault } from './test-issuer.faults.js';
import { TestIssuerKeys, type PublishKeyOptions, type RotateKeysOptions } from './test-issuer.keys.js';
import {
  TestIssuerServer,
  type TestIssuerHold,
  type TestIssuerRequest,
  type TestIssuerScope,
} from './test-issuer.server.js';
import { TestIssuerSite } from './test-issuer.site.js';
import { claimsOf, headerOf, signCompact, type SignOptions, type TestClaims } from './test-issuer.tokens.js';

/** What a {@link TestIssuer} is started with. */
export interface TestIssuerOptions {
  /** `aud` of its tokens. Default `'api'`. */
  audience?: string | readonly string[] | undefined;
  /** Algorithm of the first signing key. Default `'RS256'`. */
  alg?: string | undefined;
  /** Path of the issuer, such as `/realms/shop` or, with Auth0's final slash, `/`. Default none. */
  issuerPath?: string | undefined;
  /** `name` in {@link TestIssuer.options}. Default none. */
  name?: string | undefined;
  /** Where the discovery document is: OpenID Connect Discovery's place, or RFC 8414's and only there. Default `'openid'`. */
  metadata?: 'openid' | 'oauth' | undefined;
  /** Dates tokens and {@link TestIssuer.requests}; hand in the test's `ManualClock`. Default: the machine's clock. */
  clock?: Clock | undefined;
}

/** What fails, and how. */
export interface TestIssuerFailure {
  /** Default `'all'`. */
  endpoint?: TestIssuerScope | undefined;
  mode: TestIssuerFault;
}

/** Names a key in tokens and in the key set. */
export interface TestIssuerKeyId {
  readonly kid: string;
}

/** Module options with this issuer written inline; fits `AuthModule.forRoot` and an entry of `issuers`. */
export type TestIssuerModuleOptions = AuthModuleOptions & IssuerOptions;

/**
 * A real OpenID issuer on a free port of 127.0.0.1, for end-to-end tests: it signs tokens, rolls its keys over, and fails
 * on request. Instances share nothing, and release everything when closed.
 *
 * ```ts
 * await using issuer = await TestIssuer.start({ audience: 'orders' });
 * const app = await NestFactory.create(AppModule.register(issuer.options()));
 * const token = await issuer.sign({ sub: 'alice', scope: 'orders:read' });
 * ```
 */
export class TestIssuer implements AsyncDisposable {
  /** `aud` of its tokens. */
  readonly audience: string | readonly string[];
  readonly #name: string | undefined;
  readonly #clock: Clock;
  readonly #keys: TestIssuerKeys;
  readonly #site: TestIssuerSite;
  readonly #server: TestIssuerServer;

  private constructor(
    options: TestIssuerOptions,
    parts: { clock: Clock; keys: TestIssuerKeys; site: TestIssuerSite; server: TestIssuerServer },
  ) {
    this.audience = options.audience ?? 'api';
    this.#name = options.name;
    this.#clock = parts.clock;
    this.#keys = parts.keys;
    this.#site = parts.site;
    this.#server = parts.server;
  }

  /**
   * Starts an issuer. Its first key is made at its first use.
   *
   * @throws when it makes no keys for `alg`
   */
  static async start(options: TestIssuerOptions = {}): Promise<TestIssuer> {
    const { alg = 'RS256', issuerPath: path = '', metadata = 'openid', clock = new SystemClock() } = options;
    const keys = new TestIssuerKeys(alg);
    const server = await TestIssuerServer.listen(clock);
    const site = new TestIssuerSite({
      origin: server.origin,
      path,
      metadata,
      alg,
      keySet: () => keys.document(),
    });
    server.serve(site);
    return new TestIssuer(options, { clock, keys, site, server });
  }

  /** The issuer identifier: `issuer` in its metadata, `iss` in its tokens. */
  get url(): string {
    return this.#site.issuer;
  }

  /** Where its discovery document is. */
  get metadataAddress(): string {
    return this.#site.metadataAddress;
  }

  /** Where its key set is at present; see {@link moveJwks}. */
  get jwksUri(): string {
    return this.#site.jwksUri;
  }

  /** Requests received since the start or {@link clearRequests}, in order, as of now. */
  get requests(): readonly TestIssuerRequest[] {
    return this.#server.requests;
  }

  /** Forgets the requests received so far. */
  clearRequests(): void {
    this.#server.clearRequests();
  }

  /**
   * Options that trust this issuer: `issuer`, `audience`, `name` if it has one, and plain HTTP.
   *
   * @param overrides laid over them, `metadata` member by member; `undefined` leaves the value as it is
   */
  options(overrides: Partial<TestIssuerModuleOptions> = {}): TestIssuerModuleOptions {
    const { audience, metadata } = overrides;
    const name = overrides.name ?? this.#name;
    return {
      ...overrides,
      issuer: overrides.issuer ?? this.url,
      audience: audience === undefined ? this.audience : audience,
      ...(name === undefined ? {} : { name }),
      metadata: { ...metadata, requireHttps: metadata?.requireHttps ?? false },
    };
  }

  /**
   * Signs an access token with the signing key: `iss`, `aud`, `sub` (`'test-subject'`), `client_id`
   * (`'test-client'`), `iat`, `exp` (in five minutes) and a random `jti`.
   *
   * @param claims laid over these; `undefined` takes one out
   */
  async sign(claims: TestClaims = {}, options: SignOptions = {}): Promise<string> {
    // A forgery copies the header of the signing key, so no key of the algorithm is made.
    const ours = await this.#keys.choose(options.key ? undefined : options.alg, options.kid);
    const alg = options.alg ?? ours.alg;
    const origin = { issuer: this.url, audience: this.audience, now: this.#clock.now() };
    return signCompact(
      claimsOf(origin, claims, options.expiresIn),
      headerOf(options, alg, ours.kid),
      options.key ?? ours.privateJwk,
    );
  }

  /**
   * Makes a client with a key of its own, which signs bound tokens and the proofs that go with them (DPoP, RFC 9449).
   *
   * @param options `alg` of its proofs; default `'ES256'`
   */
  dpopClient({ alg = 'ES256' }: { alg?: string | undefined } = {}): Promise<TestDpopClient> {
    return TestDpopClient.create(alg, (claims, options) => this.sign(claims, options), this.#clock);
  }

  /** The key that signs by default. */
  async signingKey(): Promise<TestIssuerKeyId & { readonly alg: string }> {
    const { kid, alg } = await this.#keys.current();
    return { kid, alg };
  }

  /** Publishes a new key and signs with it from now on. */
  async rotateKeys(options: RotateKeysOptions = {}): Promise<TestIssuerKeyId> {
    const { kid } = await this.#keys.rotate(options);
    return { kid };
  }

  /** Publishes a new key beside the signing key; {@link useKey} or `sign(claims, { kid })` signs with it. */
  async publishKey(options: PublishKeyOptions = {}): Promise<TestIssuerKeyId> {
    const { kid } = await this.#keys.publish(options);
    return { kid };
  }

  /** Adds any JSON value to the key set, valid or not. {@link removeKey} finds it if it has a `kid`. */
  publishRaw(member: unknown): void {
    this.#keys.publishRaw(member);
  }

  /** Makes this key the signing key, published or not. */
  useKey(kid: string): void {
    this.#keys.use(kid);
  }

  /**
   * Takes a key out of the key set. The issuer still signs with it: by `kid`, and by default if it was the signing key.
   *
   * @throws when no published key has this `kid`
   */
  removeKey(kid: string): void {
    this.#keys.remove(kid);
  }

  /** Gives a key new material under its old `kid`, as some issuers wrongly do. */
  async replaceKeyMaterial(kid: string): Promise<void> {
    await this.#keys.replace(kid);
  }

  /** Moves the key set: discovery names the new address at once, the old one answers 404. */
  moveJwks(): void {
    this.#site.moveJwks();
  }

  /** Makes an endpoint fail from now on, in place of how it failed before. */
  fail({ endpoint = 'all', mode }: TestIssuerFailure): void {
    this.#server.fail(endpoint, mode);
  }

  /** Ends failures, and cuts the connections they left hanging. */
  recover(endpoint: TestIssuerScope = 'all'): void {
    this.#server.recover(endpoint);
  }

  /**
   * Adds headers to the endpoint's answers, in place of those added before; `{}` adds none:
   * `issuer.respondWith('jwks', { 'cache-control': 'max-age=15', age: '3600' })`.
   */
  respondWith(endpoint: TestIssuerScope, headers: TestIssuerHeaders): void {
    this.#server.respondWith(endpoint, headers);
  }

  /**
   * Holds answers until released, without a clock. Each answer is that of its request's arrival: keys, headers
   * and failures of that moment.
   *
   * ```ts
   * const held = issuer.hold('jwks');
   * const answer = fetch(issuer.jwksUri);
   * await held.arrived;
   * await issuer.rotateKeys();
   * held.release(); // the answer does not have the new key
   * ```
   */
  hold(endpoint: TestIssuerScope = 'all'): TestIssuerHold {
    return this.#server.hold(endpoint);
  }

  /** Stops listening and cuts every connection; calling it again does nothing. */
  close(): Promise<void> {
    return this.#server.close();
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
