import { MetadataRefreshError } from '../../errors/metadata.errors.js';
import { IssuerMetadata } from '../../keys/issuer-metadata.js';
import {
  asRefreshError,
  union,
  type MetadataReader,
  type Reading,
  type ReadRequest,
} from './metadata-reader.js';

/** What was last read at one source. */
interface Source {
  readonly jwksUri: string;
  readonly fingerprints: ReadonlySet<string>;
}

/** Reads several key sets of one issuer, each by itself, and unites their keys. */
export class UnitedReader {
  /** By reader; a source without an entry has not been read yet. */
  readonly #sources = new Map<MetadataReader, Source>();

  constructor(
    private readonly issuer: string,
    private readonly readers: readonly MetadataReader[],
  ) {}

  /**
   * One attempt. When some sources fail, the keys of the others are used, known keys are kept, and the attempt counts as
   * failed.
   *
   * @throws {MetadataRefreshError} when all sources fail
   */
  async read(request: ReadRequest): Promise<Reading> {
    const results = await Promise.allSettled(this.readers.map((reader) => this.#readOne(reader, request)));
    const readings = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [asRefreshError(result.reason)] : [],
    );
    const [first, ...others] = readings;
    if (!first) throw failures[0] ?? new MetadataRefreshError('unreachable', 'There is no source of keys');
    const united = others.reduce(unite, first);
    const failure = failures[0] ?? united.unconfirmed;
    if (!failure) return { ...united, jwksUri: this.#address(united.jwksUri) };
    return {
      ...united,
      jwksUri: this.#address(united.jwksUri),
      keys: union(united.keys, request.known?.keys ?? []),
      unconfirmed: failure,
    };
  }

  async #readOne(reader: MetadataReader, request: ReadRequest): Promise<Reading> {
    const source = this.#sources.get(reader);
    const { issuer } = this;
    const reading = await reader.read({
      ...request,
      get known() {
        // All keys, so that a key keeps its object; and the address of this source.
        return request.known && new IssuerMetadata(issuer, source?.jwksUri ?? '', request.known.keys);
      },
      requestedKids: request.requestedKids,
      get needsNewKey() {
        return request.needsNewKey;
      },
      expected: source?.fingerprints ?? new Set(),
    });
    if (!reading.unconfirmed) {
      const fingerprints = new Set(reading.keys.map(({ fingerprint }) => fingerprint));
      this.#sources.set(reader, { jwksUri: reading.jwksUri, fingerprints });
    }
    return reading;
  }

  /** The addresses of all sources, in the order of the option. */
  #address(fallback: string): string {
    const known = this.readers.flatMap((reader) => this.#sources.get(reader)?.jwksUri ?? []);
    return known.length > 0 ? [...new Set(known)].join(' ') : fallback;
  }
}

function unite(first: Reading, second: Reading): Reading {
  const [sooner] = [first, second].toSorted((a, b) => remaining(a) - remaining(b));
  const discoveryFailure = first.discoveryFailure ?? second.discoveryFailure;
  const unconfirmed = first.unconfirmed ?? second.unconfirmed;
  return {
    jwksUri: first.jwksUri,
    keys: union(first.keys, second.keys),
    skipped: [...first.skipped, ...second.skipped],
    normalized: [...first.normalized, ...second.normalized],
    generatedAt: Math.min(first.generatedAt, second.generatedAt),
    maxAge: sooner?.maxAge,
    age: sooner?.age ?? 0,
    isDoubleChecked: first.isDoubleChecked === true && second.isDoubleChecked === true,
    ...(discoveryFailure && { discoveryFailure }),
    ...(unconfirmed && { unconfirmed }),
  };
}

/** Milliseconds for which the issuer lets an answer be reused. */
function remaining({ maxAge = Number.POSITIVE_INFINITY, age }: Reading): number {
  return maxAge - age;
}
