import type { ContextResult } from '../contexts/layer.js';
import type { EventLoopResult } from '../event-loop/layer.js';
import type { Footprint } from '../footprint.js';
import type { GrowthResult } from '../growth/layer.js';
import type { InProcessResult } from '../in-process/process.js';
import type { Machine } from '../machine.js';
import type { NestResult } from '../nest/layer.js';
import type { ProofResult } from '../proofs/layer.js';
import type { Samples } from '../rounds.js';
import type { Settings } from '../settings.js';

/** Everything one run measured. */
export interface Results {
  readonly settings: Settings;
  readonly machine: Machine;
  readonly inProcess: readonly InProcessResult[];
  readonly nest: readonly NestResult[];
  /** Microseconds per request, per round. */
  readonly injected: Samples;
  readonly contexts: readonly ContextResult[];
  readonly proofs: readonly ProofResult[];
  readonly eventLoop: EventLoopResult;
  readonly growth: GrowthResult;
  readonly footprint: Footprint;
  readonly minutes: number;
}
