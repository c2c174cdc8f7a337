import { callbackify } from 'node:util';
import type { OnModuleInit } from '@nestjs/common';
import type { Clock } from '../time/clock.js';
import type { IssuerMetadataProviders } from '../metadata/issuer-metadata.providers.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { SigningKey } from '../keys/signing-key.js';
import { assertStillValid } from '../token/parse/claims.js';
import type { UnverifiedToken } from '../token/unverified-token.js';
import { deepFreeze } from '../token/deep-freeze.js';
import { parseToken } from '../token/parse/parse-token.js';
import { IssuerDirectory } from '../token/trusted-issuer.js';
import { identify, VerifiedTokenCache, type TokenCacheStatus } from '../token/verified-token-cache.js';
import { ThreadPoolShare } from '../token/thread-pool-share.js';
import { verifySignature, verifySignatureInPool } from '../token/verify-signature.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { schemeOf } from './bearer-token.js';
import type { Credentials } from './credentials.js';
import { HttpCredentials } from './http-credentials.js';
import { failureOf, withCause, type Check, type Failure } from './failed-check.js';
import { admit, type Answer, type KnownToken } from './known-token.js';
import { RequestAuthentication } from './request-authentication.js';
import { TokenChecks, type PresentedToken } from './token-check.js';
import type { ResolvedAuthOptions, ResolvedIssuer } from '../options/resolved-options.js';

/** What passport-jwt's `secretOrKeyProvider` option takes. */
export type SecretOrKeyProvider = (
  request: unknown,
  rawJwtToken: string,
  done: (error: Error | null, key?: string) => void,
) => void;

/**
 * Turns a raw token into an authenticated one, for every transport. Guards use it; handshakes and scripts,
 * where guards do not run, call it themselves.
 */
export class Authenticator implements OnModuleInit {
  readonly #options: ResolvedAuthOptions;
  readonly #providers: IssuerMetadataProviders;
  readonly #clock: Clock;
  readonly #issuers: IssuerDirectory<ResolvedIssuer>;
  readonly #cache: VerifiedTokenCache<KnownToken> | undefined;
  readonly #checks: TokenChecks;
  readonly #pool: ThreadPoolShare;
  /** The issuers whose tokens carry no `kid`: one such token has verified. */
  readonly #issuersWithoutKid = new Set<string>();
  readonly #requests: RequestAuthentication;

  constructor(
    options: ResolvedAuthOptions,
    providers: IssuerMetadataProviders,
    clock: Clock,
    pool = new ThreadPoolShare(),
  ) {
    this.#options = options;
    this.#providers = providers;
    this.#clock = clock;
    this.#pool = pool;
    this.#issuers = new IssuerDirectory(options.issuers);
    this.#checks = new TokenChecks(options.extensions.flatMap(({ tokenCheck }) => tokenCheck ?? []));
    this.#requests = new RequestAuthentication(options, this.#checks.schemes, (token, credentials) =>
      this.#answer(token, credentials),
    );
    this.#cache = options.tokenCache && new VerifiedTokenCache(options.tokenCache);
  }

  /** Loads the metadata it stands on. Called by Nest. */
  async onModuleInit(): Promise<void> {
    await this.#providers.start();
  }

  /**
   * Authenticates a raw token.
   *
   * @param request handed to `validate`, when there is one
   * @throws {TokenError} the token is bad
   * @throws {MetadataUnavailableError} it could not be checked
   */
  async authenticate(token: string, request?: unknown): Promise<AuthenticatedToken> {
    return this.#answer(token, { authorization: `Bearer ${token}`, request });
  }

  /**
   * Authenticates the token of an HTTP request; once per request, however often it is asked.
   *
   * @throws {AuthError} the request carries no token, or one that is refused, or one that could not be checked
   */
  async authenticateRequest(request: object): Promise<AuthenticatedToken> {
    return this.answerTo(request, new HttpCredentials(request));
  }

  /**
   * Authenticates an operation of any context with the credentials it carries; once per operation, and at once where
   * nothing has to be waited for. Never throws: a refusal is a rejected promise.
   */
  answerTo(operation: object, credentials: Credentials): AuthenticatedToken | Promise<AuthenticatedToken> {
    return this.#requests.answerTo(operation, credentials);
  }

  /** What an operation was authenticated with, if it was. */
  tokenOf(operation: object): AuthenticatedToken | undefined {
    return this.#requests.tokenOf(operation);
  }

  /** Reads the token of credentials that were accepted, as it was sent; never to be logged. */
  rawTokenIn(credentials: Credentials): string {
    return this.#requests.rawTokenIn(credentials);
  }

  /**
   * Checks an accepted token again, without asking `validate`: lifetime, tenant and key.
   *
   * @throws {TokenError} it is no longer valid
   * @throws {MetadataUnavailableError} it could not be checked
   */
  async assertStillValid(token: string): Promise<void> {
    await this.#verify(token);
  }

  /** How the verified-token cache does; `undefined` when it is switched off. */
  cacheStatus(): TokenCacheStatus | undefined {
    return this.#cache?.status();
  }

  /**
   * For a passport-jwt strategy of your own, in place of jwks-rsa's `passportJwtSecret`: hands out the key only when
   * the token verifies with it. passport-jwt turns every error into a 401.
   */
  readonly secretOrKeyProvider: SecretOrKeyProvider = (_request, rawJwtToken, done) => {
    this.#withPem(rawJwtToken, done);
  };

  readonly #withPem = callbackify(async (token: string) => {
    const { key } = await this.#verify(token);
    return key.toPem();
  });

  /** @returns a promise only where a refresh, a token check or an asynchronous `validate` has to be awaited */
  #answer(token: string, credentials: Credentials): Answer {
    const { request } = credentials;
    const known = this.#verify(token);
    if (!this.#checks.isEmpty) return this.#checkAndAdmit(known, token, credentials);
    return known instanceof Promise ? known.then((later) => admit(later, request)) : admit(known, request);
  }

  /** Proofs are of one request: they are checked outside the verified-token cache. */
  async #checkAndAdmit(
    verified: KnownToken | Promise<KnownToken>,
    token: string,
    credentials: Credentials,
  ): Promise<AuthenticatedToken> {
    const known = await verified;
    const { claims, header } = known;
    const presented: PresentedToken = {
      token,
      scheme: schemeOf(credentials, token),
      claims,
      header,
      issuer: known.issuer.name,
      credentials,
    };
    await this.#checks.run(presented);
    return admit(known, credentials.request);
  }

  /** Settles a token at once where the cache or the current snapshot can; a refresh decides about the others. */
  #verify(token: string): KnownToken | Promise<KnownToken> {
    const { tokenMaxLength } = this.#options;
    const id = this.#cache && token.length <= tokenMaxLength ? identify(token) : undefined;
    const known = id === undefined ? undefined : this.#cache?.get(id, this.#clock.now());
    if (known) return known;
    const candidate = parseToken(token, this.#issuers, this.#clock.now(), tokenMaxLength);
    this.#checks.assertConfirmable(candidate.claims);
    const source = this.#providers.get(candidate.issuer.name);
    const check: Check = { id, candidate, source, start: source.requestStart() };
    const metadata = source.snapshot();
    if (!metadata || this.#pool.isBusy) return this.#refreshAndVerify(check);
    try {
      return this.#accept(verifySignature(candidate, metadata, this.#pool), check);
    } catch (error) {
      return this.#refreshAndVerify(check, failureOf(error, metadata));
    }
  }

  /** A failure that stale metadata may explain is checked against fresh metadata, in the same request. */
  async #refreshAndVerify(check: Check, first?: Failure): Promise<KnownToken> {
    const { candidate, source, start } = check;
    let failure = first;
    for (;;) {
      const metadata = await (failure ? this.#refresh(check, failure) : source.current(start));
      try {
        const key = await this.#signingKeyOf(candidate, metadata);
        if (source.snapshot()?.has(key)) return this.#accept(key, check);
        // The key was withdrawn, or the snapshot expired, while the signature was checked.
        failure = undefined;
      } catch (error) {
        // What changed may be something else, found before this token arrived: then the next refresh is awaited.
        failure = failureOf(error, metadata);
      }
    }
  }

  /**
   * Returns metadata that may settle a failure.
   *
   * @throws {KeyMismatchError} the issuer was asked since the token arrived and has nothing new
   * @throws {MetadataUnavailableError} the issuer could not be asked
   */
  async #refresh(check: Check, { stale, error }: Failure): Promise<IssuerMetadata> {
    const { candidate, source, start } = check;
    const { header, issuer } = candidate;
    const { kid } = header;
    const isKeyMissing = kid === undefined && this.#issuersWithoutKid.has(issuer.name);
    const reason = isKeyMissing ? 'key-not-found' : error.staleness;
    const fresh = await source
      .requestRefresh({ stale, kid, reason, start })
      .catch(async (refusal: unknown) => {
        // A wrong signature remains one when the issuer cannot be asked about it.
        throw reason === 'bad-signature' ? await withCause(error, check, stale) : refusal;
      });
    const isStillMissing = reason === 'key-not-found' && kid !== undefined && !fresh.keysWithId(kid).length;
    if (fresh === stale || isStillMissing) throw await withCause(error, check, fresh);
    return fresh;
  }

  #signingKeyOf(candidate: UnverifiedToken, metadata: IssuerMetadata): SigningKey | Promise<SigningKey> {
    const pool = this.#pool;
    return pool.isBusy
      ? verifySignatureInPool(candidate, metadata, pool)
      : verifySignature(candidate, metadata, pool);
  }

  /** @throws {TokenError} */
  #accept(key: SigningKey, { id, candidate, source }: Check): KnownToken {
    const { token, claims, header, values, issuer, tenantId } = candidate;
    deepFreeze(header);
    deepFreeze(claims);
    // Again, after the signature: time may have passed since the token was parsed.
    assertStillValid(claims, issuer, tenantId, this.#clock.now());
    const known: KnownToken = { claims, header, values, issuer, tenantId, key, source, answer: undefined };
    if (header.kid === undefined) this.#issuersWithoutKid.add(issuer.name);
    if (id !== undefined) this.#cache?.set(id, known, token.length);
    return known;
  }
}
