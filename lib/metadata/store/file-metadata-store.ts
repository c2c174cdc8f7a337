import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MetadataStoreError } from '../../errors/metadata.errors.js';
import type { MetadataStore, StoredMetadata } from './metadata-store.js';

const VERSION = 1;
/** Bytes: more than any issuer publishes. */
const MAX_SIZE = 4 * 1024 * 1024;

/**
 * Keeps snapshots in a directory of this machine, one file per issuer, so that a restart does not need the issuer.
 * A user who can write to the directory can add a key: restrict it to the service's own user. Any number of processes
 * may share it.
 */
export class FileMetadataStore implements MetadataStore {
  /** @param directory created, for this user alone, when it does not exist */
  constructor(private readonly directory: string) {}

  /** @throws {MetadataStoreError} when the file is not as it was written */
  async load(issuer: string): Promise<StoredMetadata | undefined> {
    const text = await read(this.#pathOf(issuer));
    return text === undefined ? undefined : parse(text, issuer);
  }

  /** Replaces the file as a whole: a reader, or a crash, finds the old one or the new one. */
  async save(metadata: StoredMetadata): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const path = this.#pathOf(metadata.issuer);
    const draft = `${path}.${randomUUID()}`;
    try {
      const file = await open(draft, 'wx', 0o600);
      try {
        await file.writeFile(serialize(metadata));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  /** A digest: an issuer's name cannot lead out of the directory. */
  #pathOf(issuer: string): string {
    return join(this.directory, `${createHash('sha256').update(issuer).digest('hex')}.json`);
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    // A link in its place may lead to another user's file, and a pipe would block a thread without end.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile() || found.size > MAX_SIZE) throw malformed();
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function serialize(metadata: StoredMetadata): string {
  const { issuer, jwksUri, keys, checkedAt, isDoubleChecked } = metadata;
  const text = JSON.stringify({ issuer, jwksUri, keys, checkedAt, isDoubleChecked });
  return JSON.stringify({ version: VERSION, checksum: checksum(text), metadata: text });
}

function parse(file: string, issuer: string): StoredMetadata {
  const { version, checksum: expected, metadata } = members(file);
  if (version !== VERSION || typeof metadata !== 'string' || checksum(metadata) !== expected)
    throw malformed();
  const { issuer: named, jwksUri, keys, checkedAt, isDoubleChecked } = members(metadata);
  if (named !== issuer) throw new MetadataStoreError('wrong-issuer', 'The file is of another issuer');
  if (typeof jwksUri !== 'string' || !Array.isArray(keys) || typeof checkedAt !== 'number') throw malformed();
  return { issuer, jwksUri, keys, checkedAt, isDoubleChecked: isDoubleChecked === true };
}

function members(text: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null) return { ...content };
  } catch {
    // Reported below, without the text.
  }
  throw malformed();
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function malformed(): MetadataStoreError {
  return new MetadataStoreError('malformed', 'The file is not as it was written');
}
