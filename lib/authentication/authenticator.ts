import { callbackify } from 'node:util';
import type { OnModuleInit } from '@nestjs/common';
import { SignatureInvalidError } from '../errors/token.errors.js';
import type { Clock } from '../time/clock.js';
import type { IssuerMetadataProvider } from '../metadata/issuer-metadata.provider.js';
import type { IssuerMetadataProviders } from '../metadata/issuer-metadata.providers.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { RequestStart } from '../metadata/refresh/refresh-request.js';
import { assertClaims } from '../token/claims.js';
import type { Candidate } from '../token/unverified-token.js';
import { plausible } from '../token/parse-token.js';
import { IssuerDirectory } from '../token/trusted-issuer.js';
import { HeaderMemo } from '../token/header-memo.js';
import { identify, VerifiedTokenCache, type TokenCacheStatus } from '../token/verified-token-cache.js';
import { verifySignature } from '../token/verify-signature.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { admit, type Answer, type KnownToken } from './known-token.js';
import { RequestAuthentication } from './request-authentication.js';
import { andThen } from './thenable.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';

/** What passport-jwt's `secretOrKeyProvider` option takes. */
export type SecretOrKeyProvider = (
  request: unknown,
  rawJwtToken: string,
  done: (error: Error | null, key?: string) => void,
) => void;

/**
 * Turns a raw token into an authenticated one, whatever transport it came by. Guards use it; handshakes and scripts,
 * where guards do not run, call it themselves.
 */
export class Authenticator implements OnModuleInit {
  readonly #options: ResolvedAuthOptions;
  readonly #providers: IssuerMetadataProviders;
  readonly #clock: Clock;
  readonly #issuers: IssuerDirectory;
  readonly #headers = new HeaderMemo();
  readonly #cache: VerifiedTokenCache<KnownToken> | undefined;
  readonly #requests: RequestAuthentication;

  constructor(options: ResolvedAuthOptions, providers: IssuerMetadataProviders, clock: Clock) {
    this.#options = options;
    this.#providers = providers;
    this.#clock = clock;
    this.#issuers = new IssuerDirectory(options.issuers);
    this.#requests = new RequestAuthentication(options, (token, request) => this.#answer(token, request));
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
    return this.#answer(token, request);
  }

  /**
   * Authenticates the token of an HTTP request; once per request, however often it is asked.
   *
   * @throws {AuthError} the request carries no token, or one that is refused, or one that could not be checked
   */
  async authenticateRequest(request: object): Promise<AuthenticatedToken> {
    return this.#requests.answerTo(request);
  }

  /** The same, at once where nothing has to be waited for. */
  answerTo(request: object): AuthenticatedToken | Promise<AuthenticatedToken> {
    return this.#requests.answerTo(request);
  }

  /** What a request was authenticated with, if it was. */
  tokenOf(request: object): AuthenticatedToken | undefined {
    return this.#requests.tokenOf(request);
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
    const id = this.#identify(token);
    const { key } = this.#recall(id) ?? (await this.#verifyNew(token, id));
    return key.toPem();
  });

  /** At once, unless metadata has to be waited for or `validate` takes its time. */
  #answer(token: string, request: unknown): Answer {
    const id = this.#identify(token);
    const known = this.#recall(id);
    return known
      ? admit(known, request)
      : andThen(this.#verifyNew(token, id), (verified) => admit(verified, request));
  }

  /** What a token is remembered by; nothing when it is not going to be. */
  #identify(token: string): string | undefined {
    return this.#cache && token.length <= this.#options.tokenMaxLength ? identify(token) : undefined;
  }

  /** A token whose signature has been verified before, and which is still good. */
  #recall(id: string | undefined): KnownToken | undefined {
    return id === undefined ? undefined : this.#cache?.get(id, this.#clock.now());
  }

  #verifyNew(token: string, id: string | undefined): KnownToken | Promise<KnownToken> {
    const { tokenMaxLength } = this.#options;
    const candidate = plausible(token, this.#issuers, this.#clock.now(), tokenMaxLength, this.#headers);
    const provider = this.#providers.get(candidate.issuer.name);
    const start = provider.requestStart();
    const verified = andThen(provider.snapshot() ?? provider.current(start), (metadata) =>
      this.#verify(candidate, provider, metadata, start),
    );
    return andThen(verified, (known) => {
      this.#headers.remember(token, known.header);
      if (id !== undefined) this.#cache?.set(id, known, token.length);
      return known;
    });
  }

  /** The heart: a failure that stale metadata may explain is checked against fresh metadata, in the same request. */
  #verify(
    candidate: Candidate,
    provider: IssuerMetadataProvider,
    metadata: IssuerMetadata,
    start: RequestStart,
  ): KnownToken | Promise<KnownToken> {
    try {
      return this.#check(candidate, provider, metadata);
    } catch (error) {
      if (!(error instanceof SignatureInvalidError)) throw error;
      const { staleness: reason } = error;
      const { kid } = candidate.header;
      return provider.requestRefresh({ stale: metadata, kid, reason, start }).then(
        (fresh) => {
          const isMissing = reason === 'key-not-found' && !fresh.keysWithId(kid ?? '').length;
          if (fresh === metadata || isMissing) throw error;
          // What changed may be something else, found before this token came: then there is a next refresh to wait for.
          return this.#verify(candidate, provider, fresh, start);
        },
        (refusal: unknown) => {
          // A wrong signature stays one when nobody could be asked about it.
          throw reason === 'bad-signature' ? error : refusal;
        },
      );
    }
  }

  #check(candidate: Candidate, source: IssuerMetadataProvider, metadata: IssuerMetadata): KnownToken {
    const key = verifySignature(candidate, metadata);
    const { claims, header, values, issuer, tenantId } = candidate;
    // For real now: the signature holds, and time has passed since the token was found plausible.
    assertClaims(claims, issuer, tenantId, this.#clock.now());
    return { claims, header, values, issuer, tenantId, key, source, answer: undefined };
  }
}
