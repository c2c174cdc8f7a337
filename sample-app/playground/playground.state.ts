import type { MetadataStatus } from 'nestjs-resilient-auth';
import type { Fault } from '../provider/fault.js';
import type { Bucket, Side, Totals } from './load/recorder.js';
import type { Row } from './timeline.js';

/** Everything the page shows, as one event. Nothing in it is secret. */
export interface PlaygroundState {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that one bucket covers. */
  readonly bucketLength: number;
  readonly load: { readonly isOn: boolean; readonly isFlooding: boolean };
  readonly sides: Readonly<Record<Side, SideState>>;
  readonly timeline: readonly Row[];
  readonly snapshot: SnapshotState;
  readonly provider: ProviderState;
}

interface SideState {
  readonly totals: Totals;
  readonly buckets: readonly Bucket[];
}

export interface SnapshotState {
  readonly state: MetadataStatus['state'];
  readonly keyIds: readonly string[];
  /** Milliseconds since the last successful check. */
  readonly age: number | undefined;
  /** Milliseconds until the next automatic refresh. */
  readonly nextRefreshIn: number | undefined;
  readonly lastFailure: string | undefined;
  readonly waiting: number;
  readonly budget: { readonly available: number; readonly burst: number };
}

export interface ProviderState {
  readonly issuer: string;
  readonly fault: Fault;
  readonly keys: readonly { readonly kid: string; readonly use: 'signs' | 'published' | 'announced' }[];
  readonly totals: Readonly<Record<Side, number>>;
  readonly buckets: readonly Readonly<Record<Side, number>>[];
}
