// Not the global one: the environment of an application's tests may have none, as jsdom.
import { TextDecoder } from 'node:util';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;

/**
 * Members, list items and brackets of a document. A key has some 20, so that there is room for 1,600 keys, six times as
 * many as are used; parsing as many tiny objects, each of another form, takes some 15 ms.
 */
const MAX_VALUES = 32_768;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a document whose length is bounded already, unless it is made of so many tiny values that parsing would hold the
 * event loop: a length of 512 KiB has room for 70 ms of them.
 *
 * @returns `undefined` when it has too many values
 * @throws {Error} when it is not JSON in UTF-8
 */
export function parseBoundedJson(bytes: Uint8Array): { readonly document: unknown } | undefined {
  return hasTooManyValues(bytes) ? undefined : { document: JSON.parse(utf8.decode(bytes)) };
}

/** Counts outside of strings. Bytes of UTF-8 sequences are none of these characters. */
function hasTooManyValues(bytes: Uint8Array): boolean {
  let values = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i];
    if (code === QUOTE) i = endOfString(bytes, i + 1);
    else if (code === COLON || code === COMMA || code === OPEN_ARRAY || code === OPEN_OBJECT) values++;
  }
  return values > MAX_VALUES;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
