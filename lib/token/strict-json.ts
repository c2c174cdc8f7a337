const MAX_DEPTH = 32;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const OPENERS = new Set([0x5b, 0x7b]);
const CLOSERS = new Set([0x5d, 0x7d]);

/**
 * Parses a JSON object the way a JOSE header and a claims set must be read: valid UTF-8 without a BOM (RFC 8259 §8.1),
 * no member name twice at any level (RFC 7515 §4, RFC 7519 §4), at most 32 levels deep. `undefined` when it is not so.
 */
export function parseJsonObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const text = utf8.decode(bytes);
    const members = countMembers(text);
    if (members === undefined) return undefined;
    const value: unknown = JSON.parse(text);
    // A duplicate name leaves fewer members in the value than colons in the text, however the name was escaped.
    return isObject(value) && ownMembers(value) === members ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Colons outside of strings; `undefined` when nested deeper than allowed. */
function countMembers(text: string): number | undefined {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i + 1);
    else if (code === COLON) members++;
    else if (OPENERS.has(code) && ++depth > MAX_DEPTH) return undefined;
    else if (CLOSERS.has(code)) depth--;
  }
  return members;
}

function endOfString(text: string, start: number): number {
  let i = start;
  while (i < text.length && text.charCodeAt(i) !== QUOTE) i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  return i;
}

function ownMembers(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + ownMembers(item), 0);
  if (!isObject(value)) return 0;
  const items = Object.values(value);
  return items.reduce<number>((sum, item) => sum + ownMembers(item), items.length);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
