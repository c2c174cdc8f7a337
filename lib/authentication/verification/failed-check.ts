import { fixedTextOf, withFixedText } from '../../errors/auth.error.js';
import { quote } from '../../errors/quote.js';
import { KeyMismatchError, SignatureInvalidError } from '../../errors/token.errors.js';
import { explanation, withoutStackTrace } from '../../errors/without-stack-trace.js';
import type { IssuerMetadata } from '../../keys/issuer-metadata.js';
import type { IssuerMetadataProvider } from '../../metadata/issuer-metadata.provider.js';
import type { RequestStart } from '../../metadata/refresh/refresh-request.js';
import type { ResolvedIssuer } from '../../options/resolved-options.js';
import type { Credentials } from '../credentials.js';
import type { UnverifiedToken } from '../../token/unverified-token.js';
import type { PendingAuthentication } from '../outcomes/outcomes.js';

/** What waits for a check. */
export type Caller = Pick<Credentials, 'closed'>;

/** One token on its way through the checks. */
export interface Check {
  /** In the verified-token cache; `undefined` when the token is not to be cached. */
  readonly id: string | undefined;
  readonly candidate: UnverifiedToken<ResolvedIssuer>;
  readonly source: IssuerMetadataProvider;
  readonly start: RequestStart;
  /** Its signal of a closed connection is read only where the check waits. */
  readonly caller: Caller | undefined;
  /** Where something observes. */
  readonly pending: PendingAuthentication | undefined;
}

/** A token that no key of one snapshot verifies. */
export interface Failure {
  readonly stale: IssuerMetadata;
  readonly error: KeyMismatchError;
}

/** @throws the error itself, when a refresh cannot change it */
export function failureOf(error: unknown, stale: IssuerMetadata): Failure {
  if (!(error instanceof KeyMismatchError)) throw error;
  return { stale, error };
}

/**
 * Says why no key was found. jwks-rsa's own error is kept as the cause, for code that looks for it; it is loaded here
 * because jwks-rsa takes a quarter of the import time of this library, and accepted tokens do not need it.
 */
export async function withCause(
  error: KeyMismatchError,
  { candidate }: Check,
  metadata: IssuerMetadata,
): Promise<KeyMismatchError> {
  if (error.cause !== undefined) return error;
  const { kid } = candidate.header;
  const skipped = kid === undefined ? undefined : metadata.skippedWithId(kid);
  if (skipped) {
    const cause = explanation(`The key ${quote(kid)} of the key set is not used: ${skipped.fault}`);
    const message = 'The signing key is published and cannot be used';
    return withFixedText(new SignatureInvalidError(message, error.staleness, { cause }));
  }
  const { SigningKeyNotFoundError } = await import('jwks-rsa');
  const cause = withoutStackTrace(() => new SigningKeyNotFoundError(error.message));
  const refusal = new SignatureInvalidError(error.message, error.staleness, { cause });
  return fixedTextOf(error) === undefined ? refusal : withFixedText(refusal);
}
