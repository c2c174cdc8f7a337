import type { OnModuleDestroy } from '@nestjs/common';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import type { MetadataProvider } from './metadata.provider.js';

/** The metadata providers of all configured issuers, by name and in the order they were configured. */
export class MetadataProviders implements Iterable<MetadataProvider>, OnModuleDestroy {
  readonly #providers: ReadonlyMap<string, MetadataProvider>;

  constructor(providers: ReadonlyMap<string, MetadataProvider>) {
    this.#providers = providers;
  }

  /** The names of the issuers. */
  get names(): readonly string[] {
    return [...this.#providers.keys()];
  }

  /** @throws {AuthConfigurationError} when no issuer has this name */
  get(name: string): MetadataProvider {
    const provider = this.#providers.get(name);
    if (provider) return provider;
    throw new AuthConfigurationError(`No issuer is named ${name}; there are: ${this.names.join(', ')}`);
  }

  [Symbol.iterator](): Iterator<MetadataProvider> {
    return this.#providers.values();
  }

  /** Loads all issuers side by side, each as its `startup` says. */
  async start(): Promise<void> {
    try {
      await Promise.all([...this].map((provider) => provider.start()));
    } catch (error) {
      // The application will not run: nothing may go on in the background.
      this.onModuleDestroy();
      throw error;
    }
  }

  onModuleDestroy(): void {
    for (const provider of this) provider.close();
  }
}
