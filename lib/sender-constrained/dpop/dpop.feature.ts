import type { AuthExtension } from '../../auth.options.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import type { FeatureHost } from '../../features/feature.js';
import type { ResolvedAuthOptions } from '../../options/resolved-options.js';
import { dpopChallenges } from './challenges.js';
import { observeResponses } from './nonce-header.js';
import { MemoryReplayStore } from './replay/memory-replay-store.js';
import { ProofCheck } from './proof-check.js';
import { ReplayGuard } from './replay/replay-guard.js';

/** DPoP, switched on by the option `dpop` (RFC 9449). */
export function dpopExtension({ options: resolved, clock }: FeatureHost): AuthExtension {
  const { dpop: options, publicUrl } = resolved;
  if (!options || publicUrl === undefined)
    throw new AuthConfigurationError('The option dpop needs the option publicUrl');
  if (options.nonce) observeResponses();
  const { algorithms, replay: store = new MemoryReplayStore({ clock }) } = options;
  const replay = store === false ? undefined : new ReplayGuard(store, clock);
  return {
    name: 'dpop',
    tokenCheck: new ProofCheck({ options, publicUrl, requiring: requiringIssuers(resolved), replay, clock }),
    answer: dpopChallenges({ algorithms, acceptsBearer: acceptsBearer(resolved) }),
  };
}

function requiringIssuers({ issuers }: ResolvedAuthOptions): ReadonlySet<string> {
  return new Set(
    issuers.filter(({ senderConstraint }) => senderConstraint === 'require').map(({ name }) => name),
  );
}

function acceptsBearer({ issuers }: ResolvedAuthOptions): boolean {
  return issuers.some(({ senderConstraint }) => senderConstraint === 'accept');
}
