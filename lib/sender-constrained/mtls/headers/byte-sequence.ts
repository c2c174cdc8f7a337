import { decodeBase64 } from './base64.js';

/**
 * Decodes `Client-Cert` (RFC 9440 §2.2): one byte sequence of RFC 9651 §3.3.5, `:base64:`, without parameters and never
 * a list.
 */
export function decodeByteSequence(value: string): Buffer | undefined {
  const text = value.trim();
  if (text.length < 3 || !text.startsWith(':') || !text.endsWith(':')) return undefined;
  return decodeBase64(text.slice(1, -1));
}
