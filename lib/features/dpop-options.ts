import type { Duration } from '../metadata/metadata-options.js';

/** How proofs of possession are judged (RFC 9449). */
export interface DpopOptions {
  /**
   * Signature algorithms of proofs. Default `RS`, `PS` and `ES` with 256, 384 and 512, `EdDSA` and `Ed25519`, as for
   * tokens; `none` and `HS*` fail the boot.
   */
  algorithms?: readonly string[] | undefined;
  /** Age of a proof from its `iat`, without a nonce. Default `'60s'`, from 1s to 10m. */
  proofLifetime?: Duration | undefined;
  /** How far the clocks of client and API may differ. Default `'10s'`, from 0s to 5m. */
  clockTolerance?: Duration | undefined;
  /** Requires a nonce of this API in each proof (RFC 9449 §9), so that none is made ahead. Default `false`: none is required. */
  nonce?: DpopNonceOptions | false | undefined;
  /**
   * Remembers the proofs that were accepted, each of which is accepted once. Default `new MemoryReplayStore()`, which knows
   * this process alone: replicas share a `RedisReplayStore`. `false` accepts a proof as often as it comes while it is fresh.
   */
  replay?: ReplayStore | false | undefined;
}

/** Nonces of the API: no state, but a secret that replicas share. */
export interface DpopNonceOptions {
  /** At least 16 characters each. The first one makes nonces, all of them are accepted: to rotate, add a new one at the end on every replica, then put it in front. */
  secrets: readonly string[];
  /**
   * How long a nonce is accepted at most; a newer one is sent from the half of it on. Default `'5m'`, from 10s to 24h.
   */
  lifetime?: Duration | undefined;
}

/** Remembers which proofs have been accepted. Implement it for a store that replicas share. */
export interface ReplayStore {
  /**
   * Adds a key, in one step with the look whether it is there: of several calls with one key at the same time exactly one
   * may return `true`. A rejected promise, one that takes more than a second, and a value that is no boolean are
   * answered 503: the proof is not accepted.
   *
   * @param key SHA-256 of the client's key and the proof's id, as 43 characters of base64url
   * @param expiresAt milliseconds since the epoch; until then the key must be remembered
   * @param client names the client's key, for stores that bound what one client takes
   * @returns `true`, or `false` when the key was added before
   */
  add(key: string, expiresAt: number, client?: string): Promise<boolean>;
}
