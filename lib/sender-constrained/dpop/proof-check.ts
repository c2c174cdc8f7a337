import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { CERTIFICATE_THUMBPRINT, confirmationOf, KEY_THUMBPRINT } from '../../token/confirmation.js';
import type { HttpRequestLike } from '../../authentication/credentials.js';
import { publicUrlReader, type PublicUrlOption } from '../../authentication/http/public-url.js';
import type { PresentedToken, TokenCheck } from '../../authentication/token-check.js';
import { withFixedText } from '../../errors/auth.error.js';
import { ProofError } from '../../errors/request.errors.js';
import { TokenError } from '../../errors/token.errors.js';
import { algorithmPolicy } from '../../keys/algorithms.js';
import type { ResolvedDpopOptions } from '../../options/resolved-options.js';
import type { Clock } from '../../time/clock.js';
import { parseClaims, proofOf, type ProofClaims } from './proof/parse-proof.js';
import { sendNonce } from './nonce-header.js';
import { ProofFreshness } from './proof/proof-freshness.js';
import { ProofSignatures } from './proof/proof-signature.js';
import { parseSigner, type ProofSigner } from './proof/proof-signer.js';
import type { ReplayGuard } from './replay/replay-guard.js';
import { isSameUri, targetUri } from './proof/target-uri.js';

/** Clients whose key is remembered, so that it is not imported again with each of their proofs. */
const KNOWN_SIGNERS = 1000;

/** What the check is made from. */
export interface ProofCheckParts {
  readonly options: ResolvedDpopOptions;
  readonly publicUrl: PublicUrlOption;
  /** The names of the issuers whose tokens must be bound. */
  readonly requiring: ReadonlySet<string>;
  /** `undefined`: a proof is accepted as often as it comes. */
  readonly replay: ReplayGuard | undefined;
  readonly clock: Clock;
}

/** Checks the proof of possession of each request whose token is bound to a key (RFC 9449 §4.3, §7.1, §7.2). */
export class ProofCheck implements TokenCheck {
  readonly schemes = ['dpop'];
  readonly confirms = [KEY_THUMBPRINT];
  readonly #parts: ProofCheckParts;
  readonly #policy;
  readonly #publicUrlOf;
  readonly #freshness: ProofFreshness;
  readonly #signatures = new ProofSignatures();
  /** By the encoded header, of which everything about a signer follows. Only signers of accepted proofs. */
  readonly #signers = new LRUCache<string, ProofSigner>({ max: KNOWN_SIGNERS });

  constructor(parts: ProofCheckParts) {
    this.#parts = parts;
    this.#policy = algorithmPolicy(parts.options.algorithms);
    this.#publicUrlOf = publicUrlReader(parts.publicUrl);
    this.#freshness = new ProofFreshness(parts.options);
  }

  /** @throws {ProofError} @throws {TokenError} @throws {ReplayStoreUnavailableError} */
  async check(presented: PresentedToken): Promise<void> {
    try {
      await this.#check(presented);
    } catch (error) {
      throw error instanceof ProofError ? this.#withDemand(error, presented) : error;
    }
  }

  #check(presented: PresentedToken): Promise<void> | undefined {
    const { claims, scheme, credentials } = presented;
    const thumbprint = confirmationOf(claims, KEY_THUMBPRINT);
    if (thumbprint === undefined) return this.#acceptUnbound(presented);
    const { http, upgrade = http, provenKey } = credentials;
    // A message over a connection that was opened with a proof of this key.
    if (!upgrade && provenKey !== undefined && provenKey === thumbprint) return undefined;
    if (!upgrade || scheme !== 'dpop')
      throw new TokenError(
        'AUTH_TOKEN_SENDER_CONSTRAINED',
        upgrade
          ? 'The token is bound to a key and was sent as a bearer token'
          : 'The token is bound to a key, and nothing in this operation proves it',
      );
    return this.#prove(presented, upgrade, thumbprint);
  }

  #acceptUnbound({ claims, scheme, issuer }: PresentedToken): undefined {
    if (scheme === 'dpop')
      throw new ProofError('AUTH_PROOF_KEY_MISMATCH', 'The token is bound to no key, and was sent as DPoP');
    if (!this.#parts.requiring.has(issuer)) return;
    if (confirmationOf(claims, CERTIFICATE_THUMBPRINT) !== undefined) return;
    throw new ProofError(
      'AUTH_PROOF_MISSING',
      'The issuer has senderConstraint: require; the token is not bound',
    );
  }

  async #prove(presented: PresentedToken, http: HttpRequestLike, thumbprint: unknown): Promise<void> {
    const proof = proofOf(http);
    const signer = this.#signers.get(proof.header) ?? parseSigner(proof.header, this.#policy);
    const claims = parseClaims(proof.payload);
    if (signer.thumbprint !== thumbprint)
      throw new ProofError(
        'AUTH_PROOF_KEY_MISMATCH',
        'The token is bound to another key than that of the proof',
      );
    this.#assertMadeFor(http, presented.token, claims);
    const { until, nextNonce } = this.#freshness.judge(claims, this.#parts.clock.now());
    await this.#signatures.assertVerifies(signer, proof);
    // Last: a proof that is refused must not use up the one that is not.
    await this.#parts.replay?.assertFirstUse(signer.thumbprint, claims.jti, until);
    this.#signers.set(proof.header, signer);
    if (nextNonce !== undefined) sendNonce(presented.credentials, nextNonce);
  }

  /** RFC 9449 §4.3, 8, 9 and 12: this request, this token. */
  #assertMadeFor(http: HttpRequestLike, token: string, { htm, htu, ath }: ProofClaims): void {
    if (htm !== (http.raw?.method ?? http.method))
      throw invalid('The htm of the proof is not the method of the request');
    const target = targetUri(http, this.#publicUrlOf(http));
    if (target === undefined) throw invalid('The request target is no plain path');
    if (!isSameUri(htu, target)) throw invalid('The htu of the proof is not the address of the request');
    if (ath !== hash('sha256', token, 'base64url'))
      throw invalid('The ath of the proof is not the hash of the token');
  }

  /** Adds what a client needs for its next try. */
  #withDemand({ code, message, cause }: ProofError, presented: PresentedToken): ProofError {
    const { algorithms } = this.#parts.options;
    const isNonceMissing = code === 'AUTH_PROOF_NONCE_REQUIRED';
    const nonce = isNonceMissing ? this.#freshness.nonceAt(this.#parts.clock.now()) : undefined;
    // Also here, for transports whose answers have no headers of their own.
    if (nonce !== undefined) sendNonce(presented.credentials, nonce);
    return withFixedText(new ProofError(code, message, { cause, demand: { algorithms, nonce } }));
  }
}

function invalid(message: string): ProofError {
  return new ProofError('AUTH_PROOF_INVALID', message);
}
