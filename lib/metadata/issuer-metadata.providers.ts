import type { OnModuleDestroy } from '@nestjs/common';
import { AuthConfigurationError } from '../errors/configuration.error.js';
import { IssuerMetadataProvider } from './issuer-metadata.provider.js';
import { MetadataProvider } from './metadata.provider.js';
import { MetadataProviders } from './metadata.providers.js';

/** What is injected as {@link MetadataProviders}, with what only the library calls. */
export class IssuerMetadataProviders extends MetadataProviders implements OnModuleDestroy {
  readonly #providers: ReadonlyMap<string, IssuerMetadataProvider>;

  constructor(providers: ReadonlyMap<string, IssuerMetadataProvider>) {
    super();
    this.#providers = providers;
  }

  get names(): readonly string[] {
    return [...this.#providers.keys()];
  }

  get(name: string): IssuerMetadataProvider {
    const provider = this.#providers.get(name);
    if (provider) return provider;
    throw new AuthConfigurationError(`No issuer is named ${name}; there are: ${this.names.join(', ')}`);
  }

  [Symbol.iterator](): Iterator<IssuerMetadataProvider> {
    return this.#providers.values();
  }

  /** Loads all issuers in parallel, each as its `startup` says. */
  async start(): Promise<void> {
    try {
      await Promise.all([...this].map((provider) => provider.start()));
    } catch (error) {
      // The application will not run: nothing may continue in the background.
      this.onModuleDestroy();
      throw error;
    }
  }

  onModuleDestroy(): void {
    for (const provider of this) provider.close();
  }
}

const MEMBERS = new Set(Object.getOwnPropertyNames(IssuerMetadataProvider.prototype));

/**
 * What is injected as {@link MetadataProvider}: the provider of the single issuer. With several issuers, the first use
 * of a member throws; injecting it without using it does not.
 */
export function singleProvider(providers: MetadataProviders): MetadataProvider {
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
