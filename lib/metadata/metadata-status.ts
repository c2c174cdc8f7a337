import type { MetadataFault } from '../errors/metadata.errors.js';

/** `empty`: nothing loaded yet. `fresh`: within its interval. `stale`: a refresh is overdue. `expired`: not used any more. */
export type MetadataState = 'empty' | 'fresh' | 'stale' | 'expired';

/** The state of one issuer's metadata at one moment; fit for a health endpoint. */
export interface MetadataStatus {
  readonly issuer: string;
  readonly state: MetadataState;
  /** When the last successful check was started. */
  readonly checkedAt: Date | undefined;
  /** When the keys at hand stop being used unless a refresh succeeds before. */
  readonly expiresAt: Date | undefined;
  /** When the next automatic refresh starts. */
  readonly nextRefreshAt: Date | undefined;
  /** The last failure, until a refresh succeeds. */
  readonly lastFailure:
    { readonly at: Date; readonly fault: MetadataFault; readonly message: string } | undefined;
  readonly keyIds: readonly string[];
  /** Where the snapshot at hand came from. */
  readonly source: 'issuer' | 'store' | undefined;
  /** The store, where there is one; it failing costs no request anything. */
  readonly store:
    | {
        readonly state: 'ok' | 'failing';
        readonly lastFailure: { readonly at: Date; readonly message: string } | undefined;
      }
    | undefined;
  /** Requests waiting for a refresh. */
  readonly waiting: number;
  /** On-demand refreshes in hand, and how many there can be. */
  readonly budget: { readonly available: number; readonly burst: number };
}
