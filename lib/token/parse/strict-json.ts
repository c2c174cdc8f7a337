import { isAscii } from 'node:buffer';
// Not the global one: the environment of an application's tests may have none, as jsdom.
import { TextDecoder } from 'node:util';

const MAX_DEPTH = 32;
/**
 * Members and values of one object at all levels. Real tokens have some 30 members; Keycloak names two for each client
 * with roles, and a token of 16 KiB has room for 300 groups by GUID and for 1,300 by short names.
 */
const MAX_MEMBERS = 512;
const MAX_VALUES = 2048;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Why a text is not a strict JSON object; ends the sentence "it …". */
export type JsonFault =
  | 'is nested deeper than 32 levels'
  | 'has more than 512 members or 2048 values'
  | 'is not JSON in UTF-8 without a byte order mark'
  | 'is not a JSON object'
  | 'names a member twice';

/** A parsed JSON object, not frozen. */
export interface StrictJson {
  readonly object: Record<string, unknown>;
  /** Values at all levels, the object included: its memory beyond the text. */
  readonly values: number;
}

/**
 * Parses a JSON object the way a JOSE header and a claims set must be read: valid UTF-8 without a BOM (RFC 8259 §8.1),
 * no member name twice at any level (RFC 7515 §4, RFC 7519 §4), and of bounded depth and number of members. The bounds
 * are checked before anything is parsed.
 */
export function parseJsonObject(bytes: Buffer): StrictJson | JsonFault {
  const size = measure(bytes);
  if (typeof size === 'string') return size;
  const value = parse(bytes);
  if (value === undefined) return 'is not JSON in UTF-8 without a byte order mark';
  if (!isObject(value)) return 'is not a JSON object';
  // A duplicate name leaves fewer members in the value than colons in the text, however the name was escaped.
  if (ownMembers(value) !== size.members) return 'names a member twice';
  return { object: value, values: size.values };
}

interface Size {
  readonly members: number;
  readonly values: number;
}

/** Counts colons, commas and brackets outside of strings. Bytes of UTF-8 sequences are none of these. */
function measure(bytes: Uint8Array): Size | JsonFault {
  let members = 0;
  let values = 1;
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes[i];
    if (code === QUOTE) i = endOfString(bytes, i + 1);
    else if (code === COLON) members++;
    else if (code === COMMA) values++;
    else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (!isClosedNext(bytes, i + 1)) values++;
      if (++depth > MAX_DEPTH) return 'is nested deeper than 32 levels';
    }
    if (members > MAX_MEMBERS || values > MAX_VALUES) return 'has more than 512 members or 2048 values';
  }
  return { members, values };
}

/** Whether an object or a list is empty. */
function isClosedNext(bytes: Uint8Array, start: number): boolean {
  let i = start;
  while (bytes[i] === SPACE || bytes[i] === TAB || bytes[i] === LINE_FEED || bytes[i] === RETURN) i++;
  return bytes[i] === CLOSE_OBJECT || bytes[i] === CLOSE_ARRAY;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let i = start;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(isAscii(bytes) ? bytes.toString('latin1') : utf8.decode(bytes));
  } catch {
    return undefined;
  }
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
