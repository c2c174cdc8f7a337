import type { KeyFault, MetadataRefreshError, MetadataStoreError } from '../errors/metadata.errors.js';
import type { IssuerMetadata } from '../keys/issuer-metadata.js';

/** Why a refresh was started. `load`: the first one. `operator`: `refreshNow()`. */
export type RefreshTrigger = 'load' | 'automatic' | 'on-demand' | 'operator';

/** A call to the metadata store. */
export type StoreOperation = 'load' | 'save' | 'lease' | 'watch';

/** What an on-demand refresh was spent on: key ids that are unknown, a refresh that failed, or anything else. */
export type BudgetUse = 'unknown-key-ids' | 'failures' | 'other';

/** What happened to the metadata of one issuer. Nothing in it comes from a token. */
export type MetadataEvent = { readonly issuer: string } & (
  | { readonly type: 'refresh-started'; readonly trigger: RefreshTrigger }
  | { readonly type: 'refresh-succeeded'; readonly trigger: RefreshTrigger; readonly changed: boolean }
  | {
      readonly type: 'refresh-failed';
      readonly trigger: RefreshTrigger;
      readonly error: MetadataRefreshError;
      /** Failures in a row, this one included. */
      readonly failures: number;
    }
  | {
      readonly type: 'metadata-changed';
      readonly metadata: IssuerMetadata;
      readonly addedKeyIds: readonly string[];
      readonly withdrawnKeyIds: readonly string[];
      /** Key ids whose key is another one now. */
      readonly replacedKeyIds: readonly string[];
      /** There was no snapshot before. */
      readonly isFirst: boolean;
    }
  | { readonly type: 'metadata-expired'; readonly metadata: IssuerMetadata }
  /** The key set was read, the discovery document was not: the refresh counts as a success. */
  | { readonly type: 'discovery-failed'; readonly error: MetadataRefreshError }
  /** A member of the key set is not used; emitted once for each. `private`: the issuer leaked a private key. */
  | { readonly type: 'key-skipped'; readonly kid: string | undefined; readonly fault: KeyFault }
  /**
   * A member of the key set is used although its numbers are not written as RFC 7518 asks for (padded, leading zeros
   * added or dropped); emitted once for each. `members`: their names.
   */
  | { readonly type: 'key-normalized'; readonly kid: string | undefined; readonly members: readonly string[] }
  /** A snapshot came from the store, checked by another replica or before a restart. */
  | { readonly type: 'snapshot-received'; readonly changed: boolean }
  /** The stored snapshot is not used: forged, broken, too old, or of another issuer. */
  | { readonly type: 'snapshot-refused'; readonly error: MetadataStoreError }
  /** The store fails or hangs; emitted once until it recovers. Requests are served without it. */
  | { readonly type: 'store-failed'; readonly operation: StoreOperation; readonly error: Error }
  | { readonly type: 'store-recovered' }
  /** The on-demand refreshes are spent, by what spent most of them; emitted once until all are available again. */
  | { readonly type: 'budget-exhausted'; readonly cause: BudgetUse }
);
