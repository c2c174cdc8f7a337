import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import type { ResolvedMetadataOptions } from '../metadata-options.js';
import type { Answer } from './metadata-retriever.js';
import { parseDiscovery } from './parse-discovery.js';

/** Reads the discovery document of one issuer, at OpenID Connect's address or at RFC 8414's. */
export class DiscoveryReader {
  /** The address that answered last. */
  #address: string | undefined;

  constructor(
    private readonly options: ResolvedMetadataOptions,
    private readonly get: (address: string) => Promise<Answer>,
  ) {}

  /**
   * Returns the `jwks_uri`. The second address is read when the first is a 404; once it has answered, when the other one
   * fails in any way.
   *
   * @param isComplete looks at the first address again although the second has answered
   * @throws {MetadataRefreshError}
   */
  async jwksUri(isComplete: boolean): Promise<string> {
    const { metadataAddresses: addresses } = this.options;
    const last = this.#address;
    const inOrder =
      last === undefined || isComplete ? addresses : [last, ...addresses.filter((a) => a !== last)];
    const errors: unknown[] = [];
    for (const address of inOrder) {
      try {
        return await this.#read(address);
      } catch (error) {
        errors.push(error);
        const mayBeElsewhere = isNotFound(error) || (last !== undefined && last !== addresses[0]);
        if (!mayBeElsewhere) throw error;
      }
    }
    throw errors.find((error) => !isNotFound(error)) ?? notFound(addresses);
  }

  async #read(address: string): Promise<string> {
    const { issuer, requireHttps } = this.options;
    const { document } = await this.get(address);
    const jwksUri = parseDiscovery(document, issuer, requireHttps);
    this.#address = address;
    return jwksUri;
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof MetadataRefreshError && error.details.status === 404;
}

function notFound(addresses: readonly string[]): MetadataRefreshError {
  return new MetadataRefreshError(
    'status',
    `${addresses.join(' and ')} answered 404: set metadataAddress to the address of the discovery document, or jwksUri to do without one`,
    { status: 404 },
  );
}
