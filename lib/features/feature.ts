import type { AuthExtension } from '../auth.options.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import type { Clock } from '../time/clock.js';

/** What a feature is made from. */
export interface FeatureHost {
  /** Complete but for the extensions of features. */
  readonly options: ResolvedAuthOptions;
  readonly clock: Clock;
}

/**
 * A capability outside the core that an option of the module switches on. Its code is loaded only then, so that an
 * application without it pays nothing.
 */
export interface Feature {
  /** The option that names it. */
  readonly option: 'mtls' | 'dpop' | 'protectedResource';
  /** Loads its code. Errors of the result are errors of the boot. */
  readonly load: () => Promise<(host: FeatureHost) => AuthExtension>;
}
