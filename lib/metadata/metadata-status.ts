import type { MetadataFault } from '../errors/metadata.errors.js';
import { oneLine } from '../errors/one-line.js';
import type { Clock } from '../time/clock.js';
import type { IssuerState } from './refresh/issuer-state.js';
import type { RefreshLimits } from './refresh/refresh-limits.js';
import type { ResolvedMetadataOptions } from './metadata-options.js';
import type { StoreClient } from './store/store-client.js';

/** `empty`: nothing loaded yet. `fresh`: within its interval. `stale`: a refresh is overdue. `expired`: no longer used. */
export type MetadataState = 'empty' | 'fresh' | 'stale' | 'expired';

/** The state of one issuer's metadata at one moment; fit for a health endpoint. */
export interface MetadataStatus {
  readonly issuer: string;
  readonly state: MetadataState;
  /** When the last successful check started. */
  readonly checkedAt: Date | undefined;
  /** When the current keys stop serving, unless a refresh succeeds before. */
  readonly expiresAt: Date | undefined;
  /** When the next automatic refresh starts. */
  readonly nextRefreshAt: Date | undefined;
  /** The last failure, until a refresh succeeds. */
  readonly lastFailure:
    { readonly at: Date; readonly fault: MetadataFault; readonly message: string } | undefined;
  readonly keyIds: readonly string[];
  /** Where the current snapshot came from. */
  readonly source: 'issuer' | 'store' | undefined;
  /** The metadata store, if configured; its failure affects no request. */
  readonly store:
    | {
        readonly state: 'ok' | 'failing';
        readonly lastFailure: { readonly at: Date; readonly message: string } | undefined;
      }
    | undefined;
  /** Requests waiting for a refresh. */
  readonly waiting: number;
  /** On-demand refreshes available now, and at most. */
  readonly budget: { readonly available: number; readonly burst: number };
}

/** What a status is made of. */
interface StatusSources {
  readonly options: ResolvedMetadataOptions;
  readonly clock: Clock;
  readonly state: IssuerState;
  readonly limits: RefreshLimits;
  /** Monotonic. */
  readonly nextRefreshAt: number | undefined;
  readonly store: StoreClient | undefined;
  readonly waiting: number;
}

/** Describes the state, with wall-clock times in place of monotonic ones. */
export function describeStatus({
  options,
  clock,
  state,
  limits,
  nextRefreshAt,
  store,
  waiting,
}: StatusSources): MetadataStatus {
  const { metadata, lastFailure } = state;
  const now = clock.monotonic();
  const date = (time: number): Date => new Date(clock.now() + time - now);
  return {
    issuer: options.issuer,
    state: stateOf(state, now),
    checkedAt: metadata && date(state.checkedAt),
    expiresAt: metadata && date(state.expiresAt),
    nextRefreshAt: nextRefreshAt === undefined ? undefined : date(nextRefreshAt),
    lastFailure: lastFailure && {
      at: date(lastFailure.at),
      fault: lastFailure.error.fault,
      message: lastFailure.error.message,
    },
    keyIds: metadata?.keys.flatMap(({ kid }) => (kid === undefined ? [] : [kid])) ?? [],
    source: metadata && state.source,
    store: store && {
      state: store.lastFailure ? 'failing' : 'ok',
      lastFailure: store.lastFailure && {
        at: date(store.lastFailure.at),
        message: oneLine(store.lastFailure.error.message, 200),
      },
    },
    waiting,
    budget: { available: limits.available(now), burst: options.refreshBurst },
  };
}

function stateOf({ metadata, freshUntil, expiresAt }: IssuerState, now: number): MetadataState {
  if (!metadata) return 'empty';
  if (now < freshUntil) return 'fresh';
  return now < expiresAt ? 'stale' : 'expired';
}
