import { Readable } from 'node:stream';
import { ManualClock } from 'nestjs-resilient-auth/testing';
import { describe, expect, it } from 'vitest';
import { MetadataRetriever } from '../../../lib/metadata/fetch/metadata-retriever.js';
import type {
  MetadataFetch,
  MetadataRequestInit,
  MetadataResponseBody,
} from '../../../lib/metadata/metadata-options.js';

const ADDRESS = 'https://issuer.test/jwks';
const DOCUMENT = { keys: [] };
const bytes = new TextEncoder().encode(JSON.stringify(DOCUMENT));

function retrieverWith(fetch: MetadataFetch): MetadataRetriever {
  const options = { fetch, timeout: 5000, maxResponseSize: 1024 };
  return new MetadataRetriever(options, new ManualClock(), new AbortController().signal);
}

/** A web stream as the DOM types of older compilers describe it: not iterable. */
function readerOnly(...chunks: readonly Uint8Array[]): MetadataResponseBody {
  const left = [...chunks];
  return {
    getReader: () => ({
      read: async () => {
        const value = left.shift();
        return value ? { done: false, value } : { done: true };
      },
    }),
  };
}

const answering =
  (body: MetadataResponseBody | null): MetadataFetch =>
  async () => ({ status: 200, headers: { get: () => null }, body });

describe('MetadataRetriever', () => {
  it.each<[string, () => MetadataResponseBody]>([
    ['a stream of Node.js', () => Readable.from([bytes.slice(0, 3), bytes.slice(3)])],
    ['a stream that only has a reader', () => readerOnly(bytes.slice(0, 3), bytes.slice(3))],
  ])('returns the document when the body is %s', async (_what, body) => {
    expect((await retrieverWith(answering(body())).get(ADDRESS)).document).toEqual(DOCUMENT);
  });

  it('throws when a body that only has a reader is larger than the limit', async () => {
    const endless = readerOnly(...Array.from({ length: 10 }, () => new Uint8Array(512)));
    await expect(retrieverWith(answering(endless)).get(ADDRESS)).rejects.toMatchObject({
      fault: 'too-large',
    });
  });

  it('throws when there is no body', async () => {
    await expect(retrieverWith(answering(null)).get(ADDRESS)).rejects.toMatchObject({ fault: 'not-json' });
  });

  it('accepts any type at last, so that no server answers 406', async () => {
    const inits: MetadataRequestInit[] = [];
    await retrieverWith(async (_address, init) => {
      inits.push(init);
      return Response.json(DOCUMENT);
    }).get(ADDRESS);
    expect(inits[0]?.headers['accept']).toMatch(/^application\/json, .*, \*\/\*;q=0\.1$/);
  });

  it('accepts globalThis.fetch', () => {
    const fits: MetadataFetch = globalThis.fetch;
    expect(fits).toBe(globalThis.fetch);
  });
});
