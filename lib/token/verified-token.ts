import type { IssuerMetadata } from '../keys/issuer-metadata.js';
import type { SigningKey } from '../keys/signing-key.js';
import type { UnverifiedToken } from './unverified-token.js';

/** Where the current snapshot of an issuer is found: its metadata provider. */
interface SnapshotSource {
  /** The usable snapshot, if there is one. */
  snapshot(): IssuerMetadata | undefined;
}

/** A candidate whose signature has been verified, and the key that did it. */
export interface VerifiedToken extends Omit<UnverifiedToken, 'token'> {
  readonly key: SigningKey;
  readonly source: SnapshotSource;
}
