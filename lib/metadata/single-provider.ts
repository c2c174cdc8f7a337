import { AuthConfigurationError } from '../errors/configuration.error.js';
import { MetadataProvider } from './metadata.provider.js';
import type { MetadataProviders } from './metadata.providers.js';

const MEMBERS = new Set(Object.getOwnPropertyNames(MetadataProvider.prototype));

/**
 * What `MetadataProvider` injects: the provider of the only issuer. With several there is no such thing, and the first
 * use says so; nobody who does not use it is bothered.
 */
export function soleProvider(providers: MetadataProviders): MetadataProvider {
  const [first, ...others] = providers;
  if (first && others.length === 0) return first;
  return new Proxy<MetadataProvider>(Object.create(MetadataProvider.prototype), {
    get: (_, member) => {
      if (typeof member === 'symbol' || member === 'constructor' || !MEMBERS.has(member)) return undefined;
      throw new AuthConfigurationError(
        `Several issuers are configured: inject MetadataProviders and use get(name) in place of MetadataProvider.${member}`,
      );
    },
  });
}
