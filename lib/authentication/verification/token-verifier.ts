import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { SigningKey } from '../../keys/signing-key.js';
import type { IssuerMetadataProviders } from '../../metadata/issuer-metadata.providers.js';
import type { ResolvedAuthOptions, ResolvedIssuer } from '../../options/resolved-options.js';
import type { Clock } from '../../time/clock.js';
import { deepFreeze } from '../../token/deep-freeze.js';
import { assertStillValid } from '../../token/parse/claims.js';
import { parseToken } from '../../token/parse/parse-token.js';
import { ThreadPoolShare } from '../../token/thread-pool-share.js';
import { IssuerDirectory } from '../../token/trusted-issuer.js';
import type { UnverifiedToken } from '../../token/unverified-token.js';
import { identify, VerifiedTokenCache, type TokenCacheStatus } from '../../token/verified-token-cache.js';
import { verifySignature, verifySignatureInPool } from '../../token/verify-signature.js';
import type { KnownToken } from '../known-token.js';
import type { PendingAuthentication } from '../outcomes/outcomes.js';
import type { TokenChecks } from '../token-check.js';
import { failureOf, withCause, type Caller, type Check, type Failure } from './failed-check.js';

/** Verifies signature and claims of a token, with fresh metadata where stale metadata may explain a failure. */
export class TokenVerifier {
  readonly #options: ResolvedAuthOptions;
  readonly #providers: IssuerMetadataProviders;
  readonly #clock: Clock;
  readonly #checks: TokenChecks;
  readonly #pool: ThreadPoolShare;
  readonly #issuers: IssuerDirectory<ResolvedIssuer>;
  readonly #cache: VerifiedTokenCache<KnownToken> | undefined;
  /** The issuers whose tokens carry no `kid`: one such token has verified. */
  readonly #issuersWithoutKid = new Set<string>();

  constructor(
    options: ResolvedAuthOptions,
    providers: IssuerMetadataProviders,
    clock: Clock,
    checks: TokenChecks,
    pool = new ThreadPoolShare(),
  ) {
    this.#options = options;
    this.#providers = providers;
    this.#clock = clock;
    this.#checks = checks;
    this.#pool = pool;
    this.#issuers = new IssuerDirectory(options.issuers);
    this.#cache = options.tokenCache && new VerifiedTokenCache(options.tokenCache);
  }

  cacheStatus(): TokenCacheStatus | undefined {
    return this.#cache?.status();
  }

  /**
   * Settles a token at once where the cache or the current snapshot can; a refresh decides about the others.
   *
   * @param pending gets what becomes known on the way, where something observes
   */
  verify(token: string, caller?: Caller, pending?: PendingAuthentication): KnownToken | Promise<KnownToken> {
    const { tokenMaxLength } = this.#options;
    const id = this.#cache && token.length <= tokenMaxLength ? identify(token) : undefined;
    const known = id === undefined ? undefined : this.#cache?.get(id, this.#clock.now());
    if (known) {
      if (pending) {
        pending.issuer = known.issuer.name;
        pending.isKnown = true;
      }
      return known;
    }
    const candidate = parseToken(token, this.#issuers, this.#clock.now(), tokenMaxLength, pending);
    this.#checks.assertConfirmable(candidate.claims);
    if (pending) pending.startedAt = this.#clock.monotonic();
    const source = this.#providers.get(candidate.issuer.name);
    const check: Check = { id, candidate, source, start: source.requestStart(), caller, pending };
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
    const { candidate, source, start, caller, pending } = check;
    let failure = first;
    for (;;) {
      const metadata = await (failure
        ? this.#refresh(check, failure)
        : source.current(start, caller?.closed, waitOf(pending)));
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
    const { candidate, source, start, caller, pending } = check;
    const { header, issuer } = candidate;
    const { kid } = header;
    const isKeyMissing = kid === undefined && this.#issuersWithoutKid.has(issuer.name);
    const reason = isKeyMissing ? 'key-not-found' : error.staleness;
    const fresh = await source
      .requestRefresh({ stale, kid, reason, start, closed: caller?.closed, onWait: waitOf(pending) })
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

/** Called when the authentication joins the requests that wait for a refresh. */
function waitOf(pending: PendingAuthentication | undefined): (() => void) | undefined {
  if (!pending) return undefined;
  return () => {
    pending.hasWaited = true;
  };
}
