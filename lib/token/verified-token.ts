import type { SigningKey } from '../metadata/signing-key.js';
import type { Candidate } from './candidate.js';

/** A candidate whose signature has been verified, and the key that did it. */
export interface VerifiedToken extends Omit<Candidate, 'token'> {
  readonly key: SigningKey;
}
