import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import type { Clock } from '../time/clock.js';
import type { Feature } from './feature.js';

/** Every feature, in the order in which their checks run. The only place of the core that knows their folders. */
const FEATURES: readonly Feature[] = [
  {
    option: 'mtls',
    load: async () => (await import('../sender-constrained/mtls/mtls.feature.js')).mtlsExtension,
  },
  {
    // Last of the two: a proof is recorded only when everything else has passed.
    option: 'dpop',
    load: async () => (await import('../sender-constrained/dpop/dpop.feature.js')).dpopExtension,
  },
  // Last: it adds to the challenges of the others.
  {
    option: 'protectedResource',
    load: async () =>
      (await import('../resource-metadata/protected-resource.extension.js')).protectedResourceExtension,
  },
];

/**
 * Returns the options with the extensions of the features they name, in front of those of the application.
 *
 * @throws {AuthConfigurationError} of a feature
 */
export async function withFeatures(options: ResolvedAuthOptions, clock: Clock): Promise<ResolvedAuthOptions> {
  const named = FEATURES.filter(({ option }) => options[option] !== undefined);
  const create = await Promise.all(named.map(({ load }) => load()));
  const extensions = create.map((extensionFor) => extensionFor({ options, clock }));
  return Object.freeze({ ...options, extensions: Object.freeze([...extensions, ...options.extensions]) });
}
