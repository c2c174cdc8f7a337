import type { MetadataFault } from '../errors/metadata.errors.js';
import type { Clock } from '../time/clock.js';
import type { HeldMetadata } from './refresh/current-snapshot.js';
import type { MetadataKeeper } from './refresh/metadata-state.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { StoreClient } from './store/store-client.js';

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

/** What a status is made of. */
interface Described {
  readonly options: ResolvedMetadataOptions;
  readonly keeper: MetadataKeeper;
  readonly store: StoreClient | undefined;
  readonly clock: Clock;
  readonly waiting: number;
}

/** Puts the state into words, with wall-clock times in place of monotonic ones. */
export function describeStatus({ options, keeper, store, clock, waiting }: Described): MetadataStatus {
  const { held, gate, nextAutomaticAt, lastFailure } = keeper;
  const { metadata } = held;
  const now = clock.monotonic();
  const date = (time: number): Date => new Date(clock.now() + time - now);
  return {
    issuer: options.issuer,
    state: stateOf(held, now),
    checkedAt: metadata && date(held.checkedAt),
    expiresAt: metadata && date(held.expiresAt),
    nextRefreshAt: nextAutomaticAt === undefined ? undefined : date(nextAutomaticAt),
    lastFailure: lastFailure && {
      at: date(lastFailure.at),
      fault: lastFailure.error.fault,
      message: lastFailure.error.message,
    },
    keyIds: metadata?.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])) ?? [],
    source: metadata && held.source,
    store: store && {
      state: store.lastFailure ? 'failing' : 'ok',
      lastFailure: store.lastFailure && {
        at: date(store.lastFailure.at),
        message: store.lastFailure.error.message,
      },
    },
    waiting,
    budget: { available: gate.available(now), burst: options.refreshBurst },
  };
}

function stateOf({ metadata, freshUntil, expiresAt }: HeldMetadata, now: number): MetadataState {
  if (!metadata) return 'empty';
  if (now < freshUntil) return 'fresh';
  return now < expiresAt ? 'stale' : 'expired';
}
