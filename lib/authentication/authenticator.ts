import { callbackify } from 'node:util';
import type { OnModuleInit } from '@nestjs/common';
import type { Clock } from '../time/clock.js';
import type { IssuerMetadataProviders } from '../metadata/issuer-metadata.providers.js';
import type { TokenCacheStatus } from '../token/verified-token-cache.js';
import type { ThreadPoolShare } from '../token/thread-pool-share.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { schemeOf } from './bearer-token.js';
import type { Credentials } from './credentials.js';
import { admit, type Answer, type KnownToken } from './known-token.js';
import { Outcomes, type PendingAuthentication } from './outcomes/outcomes.js';
import { RequestAuthentication } from './request-authentication.js';
import { TokenChecks } from './token-check.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import { TokenVerifier } from './verification/token-verifier.js';

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
  readonly #providers: IssuerMetadataProviders;
  readonly #verifier: TokenVerifier;
  readonly #checks: TokenChecks;
  readonly #requests: RequestAuthentication;
  readonly #outcomes: Outcomes;

  /** @internal */
  constructor(
    options: ResolvedAuthOptions,
    providers: IssuerMetadataProviders,
    clock: Clock,
    pool?: ThreadPoolShare,
    outcomes = new Outcomes(clock),
  ) {
    this.#providers = providers;
    this.#outcomes = outcomes;
    this.#checks = new TokenChecks(options.extensions.flatMap(({ tokenCheck }) => tokenCheck ?? []));
    this.#verifier = new TokenVerifier(options, providers, clock, this.#checks, pool);
    this.#requests = new RequestAuthentication(
      options,
      this.#checks.schemes,
      outcomes,
      (token, credentials, pending) => this.#answer(token, credentials, pending),
    );
  }

  /** Loads the metadata it stands on. Called by Nest. */
  async onModuleInit(): Promise<void> {
    this.#outcomes.start(this.#providers);
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
    const credentials = { authorization: `Bearer ${token}`, request };
    const pending = this.#outcomes.begin();
    try {
      const answer = this.#answer(token, credentials, pending);
      // A known token has nothing to wait for.
      const accepted = answer instanceof Promise ? await answer : answer;
      this.#outcomes.accepted(pending);
      return accepted;
    } catch (error) {
      this.#outcomes.refused(error, pending);
      throw error;
    }
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
    await this.#verifier.verify(token);
  }

  /** How the verified-token cache does; `undefined` when it is switched off. */
  cacheStatus(): TokenCacheStatus | undefined {
    return this.#verifier.cacheStatus();
  }

  /**
   * For a passport-jwt strategy of your own, in place of jwks-rsa's `passportJwtSecret`: hands out the key only when
   * the token verifies with it. passport-jwt turns every error into a 401. A token that is bound to a key or certificate is
   * refused: a strategy cannot answer with what its proof needs.
   */
  readonly secretOrKeyProvider: SecretOrKeyProvider = (request, rawJwtToken, done) => {
    this.#withPem(rawJwtToken, request, done);
  };

  readonly #withPem = callbackify(async (token: string, request: unknown) => {
    const pending = this.#outcomes.begin();
    try {
      const known = await this.#verifier.verify(token, undefined, pending);
      await this.#check(known, token, { authorization: `Bearer ${token}`, request });
      this.#outcomes.accepted(pending);
      return known.key.toPem();
    } catch (error) {
      this.#outcomes.refused(error, pending);
      throw error;
    }
  });

  /** @returns a promise only where a refresh, a token check or an asynchronous `validate` has to be awaited */
  #answer(token: string, credentials: Credentials, pending: PendingAuthentication | undefined): Answer {
    const { request } = credentials;
    const known = this.#verifier.verify(token, credentials, pending);
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
    await this.#check(known, token, credentials);
    return admit(known, credentials.request);
  }

  async #check(
    { claims, header, issuer }: KnownToken,
    token: string,
    credentials: Credentials,
  ): Promise<void> {
    if (this.#checks.isEmpty) return;
    const scheme = schemeOf(credentials, token);
    await this.#checks.run({ token, scheme, claims, header, issuer: issuer.name, credentials });
  }
}
