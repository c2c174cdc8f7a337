import type { MetadataStore, SaveOptions, StoredMetadata } from 'nestjs-resilient-auth';

/** What nearly every key-value client can do. */
interface KeyValueClient {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, expiresInMilliseconds: number): Promise<void>;
}

export class KeyValueMetadataStore implements MetadataStore {
  constructor(private readonly client: KeyValueClient) {}

  async load(issuer: string): Promise<StoredMetadata | undefined> {
    const text = await this.client.get(`auth-metadata:${issuer}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async save(metadata: StoredMetadata, { expiresIn }: SaveOptions): Promise<void> {
    await this.client.set(`auth-metadata:${metadata.issuer}`, JSON.stringify(metadata), expiresIn);
  }
}
