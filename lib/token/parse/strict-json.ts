import { isAscii } from 'node:buffer';

const MAX_DEPTH = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses a JSON object the way a JOSE header and a claims set must be read: valid UTF-8 without a BOM (RFC 8259 §8.1),
 * no member name twice at any level (RFC 7515 §4, RFC 7519 §4), at most 32 levels deep. `undefined` when it is not so.
 */
export function parseJsonObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const members = countMembers(bytes);
    if (members === undefined) return undefined;
    const value: unknown = JSON.parse(isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes));
    // A duplicate name leaves fewer members in the value than colons in the text, however the name was escaped.
    return isObject(value) && ownMembers(value) === members ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Colons outside of strings; `undefined` when nested deeper than allowed. Bytes of UTF-8 sequences are none of these. */
function countMembers(bytes: Uint8Array): number | undefined {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i];
    if (code === QUOTE) i = endOfString(bytes, i + 1);
    else if (code === COLON) members++;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
    if (depth > MAX_DEPTH) return undefined;
  }
  return members;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}

function ownMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const items: readonly unknown[] = Object.values(value);
  let members = Array.isArray(value) ? 0 : items.length;
  for (const item of items) members += ownMembers(item);
  return members;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
