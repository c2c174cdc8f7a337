import type { MetadataProvider } from './metadata.provider.js';

/** The metadata providers of all configured issuers, by name and in the order they were configured. */
export abstract class MetadataProviders implements Iterable<MetadataProvider> {
  /** The names of the issuers. */
  abstract get names(): readonly string[];

  /** @throws {AuthConfigurationError} when no issuer has this name */
  abstract get(name: string): MetadataProvider;

  abstract [Symbol.iterator](): Iterator<MetadataProvider>;
}
