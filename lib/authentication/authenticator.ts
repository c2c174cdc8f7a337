import { callbackify } from 'node:util';
import type { OnModuleInit } from '@nestjs/common';
import { SignatureInvalidError, TokenRejectedError } from '../errors/token.errors.js';
import type { Clock } from '../metadata/clock.js';
import type { MetadataProviders } from '../metadata/metadata.providers.js';
import type { IssuerMetadata } from '../metadata/issuer-metadata.js';
import { assertClaims } from '../token/claims.js';
import type { Candidate } from '../token/candidate.js';
import { plausible } from '../token/plausible.js';
import { IssuerDirectory } from '../token/trusted-issuer.js';
import { identify, VerifiedTokenCache } from '../token/verified-token-cache.js';
import type { VerifiedToken } from '../token/verified-token.js';
import { verifySignature } from '../token/verifier.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { RequestAuthentication } from './request-authentication.js';
import type { ResolvedAuthOptions } from './resolved-options.js';

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
  readonly #providers: MetadataProviders;
  readonly #clock: Clock;
  readonly #issuers: IssuerDirectory;
  readonly #cache: VerifiedTokenCache | undefined;
  readonly #requests: RequestAuthentication;
  readonly #admissions = new WeakMap<VerifiedToken, Promise<AuthenticatedToken>>();

  constructor(options: ResolvedAuthOptions, providers: MetadataProviders, clock: Clock) {
    this.#options = options;
    this.#providers = providers;
    this.#clock = clock;
    this.#issuers = new IssuerDirectory(options.issuers);
    const snapshotOf = ({ name }: { name: string }) => providers.get(name).snapshot();
    this.#requests = new RequestAuthentication(options, (token, request) =>
      this.authenticate(token, request),
    );
    this.#cache =
      options.tokenCacheMax > 0 ? new VerifiedTokenCache(options.tokenCacheMax, snapshotOf) : undefined;
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
  authenticate(token: string, request?: unknown): Promise<AuthenticatedToken> {
    const id = this.#identify(token);
    const known = this.#recall(id);
    return known ? this.#admit(known, request) : this.#authenticateNew(token, id, request);
  }

  /**
   * Authenticates the token of an HTTP request; once per request, however often it is asked.
   *
   * @throws {AuthError} the request carries no token, or one that is refused, or one that could not be checked
   */
  authenticateRequest(request: object): Promise<AuthenticatedToken> {
    return this.#requests.resultOf(request);
  }

  /** What a request was authenticated with, if it was. */
  tokenOf(request: object): AuthenticatedToken | undefined {
    return this.#requests.tokenOf(request);
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
    return (this.#recall(id) ?? (await this.#verifyNew(token, id))).key.toPem();
  });

  async #authenticateNew(
    token: string,
    id: string | undefined,
    request: unknown,
  ): Promise<AuthenticatedToken> {
    return this.#admit(await this.#verifyNew(token, id), request);
  }

  /** What a token is remembered by; nothing when it is not going to be. */
  #identify(token: string): string | undefined {
    return this.#cache && token.length <= this.#options.tokenMaxLength ? identify(token) : undefined;
  }

  /** A token whose signature has been verified before, and which is still good. */
  #recall(id: string | undefined): VerifiedToken | undefined {
    return id === undefined ? undefined : this.#cache?.get(id, this.#clock.now());
  }

  async #verifyNew(token: string, id: string | undefined): Promise<VerifiedToken> {
    const { tokenMaxLength } = this.#options;
    const verified = await this.#verify(plausible(token, this.#issuers, this.#clock.now(), tokenMaxLength));
    if (id !== undefined) this.#cache?.set(id, verified);
    return verified;
  }

  /** The heart: a failure that stale metadata may explain is checked against fresh metadata, in the same request. */
  async #verify(candidate: Candidate): Promise<VerifiedToken> {
    const provider = this.#providers.get(candidate.issuer.name);
    const since = provider.mark();
    const metadata = provider.snapshot() ?? (await provider.current());
    try {
      return this.#check(candidate, metadata);
    } catch (error) {
      if (!(error instanceof SignatureInvalidError)) throw error;
      const { staleness: reason } = error;
      const { kid } = candidate.header;
      const fresh = await provider
        .requestRefresh({ stale: metadata, kid, reason, since })
        .catch((refusal: unknown) => {
          // A wrong signature stays one when nobody could be asked about it.
          throw reason === 'bad-signature' ? error : refusal;
        });
      if (fresh === metadata) throw error;
      return this.#check(candidate, fresh);
    }
  }

  #check(candidate: Candidate, metadata: IssuerMetadata): VerifiedToken {
    const key = verifySignature(candidate, metadata);
    const { token: _, ...verified } = candidate;
    // For real now: the signature holds, and time has passed since the token was found plausible.
    assertClaims(verified.claims, verified.issuer, verified.tenantId, this.#clock.now());
    return { ...verified, key };
  }

  /** What the application has to say. `validate` is asked every time; what follows from the claims alone is kept. */
  #admit(verified: VerifiedToken, request: unknown): Promise<AuthenticatedToken> {
    return this.#admissions.get(verified) ?? this.#admitNew(verified, request);
  }

  async #admitNew(verified: VerifiedToken, request: unknown): Promise<AuthenticatedToken> {
    const { claims, header, issuer } = verified;
    const { name, validate } = issuer;
    const user = validate ? await validate(claims, { issuer: name, header, request }) : claims;
    if (!user) throw new TokenRejectedError();
    const scopes = Object.freeze([...issuer.scopes(claims, user)]);
    const roles = Object.freeze([...issuer.roles(claims, user)]);
    const token = Object.freeze({ claims, header, issuer: name, scopes, roles, user });
    if (!validate) this.#admissions.set(verified, Promise.resolve(token));
    return token;
  }
}
