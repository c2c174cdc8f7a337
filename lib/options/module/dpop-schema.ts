import * as v from 'valibot';
import type { ReplayStore } from '../../features/dpop-options.js';
import { DEFAULT_ALGORITHMS } from '../../keys/algorithms.js';
import { algorithms, duration, list } from '../schema-parts.js';

const NONCE = 'false, or an object of secrets, a list of strings of at least 16 characters, and lifetime';
const SECRETS = 'a list of at least one string of at least 16 characters';
const REPLAY = 'false, or a ReplayStore: an object with add';

const nonce = v.strictObject({
  secrets: list(v.pipe(v.string(SECRETS), v.minLength(16, SECRETS)), SECRETS),
  lifetime: duration('5m', '10s', '24h'),
});

/** `DpopOptions`: what each option may be, and its default. */
export const dpopSchema = v.strictObject({
  algorithms: v.optional(algorithms, DEFAULT_ALGORITHMS),
  proofLifetime: duration('60s', '1s', '10m'),
  clockTolerance: duration('10s', '0s', '5m'),
  nonce: v.optional(v.union([v.literal(false), nonce], NONCE), false),
  replay: v.optional(v.union([v.literal(false), v.custom<ReplayStore>(isReplayStore)], REPLAY)),
});

function isReplayStore(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'add' in value && typeof value.add === 'function';
}
