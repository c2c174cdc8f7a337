const ALPHABET = /^[A-Za-z0-9_-]+$/;
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * Whether a segment is canonical base64url: the alphabet alone, no padding, no impossible length, unused bits zero
 * (RFC 7515 §2, RFC 4648 §3.5). Then one token has one spelling.
 */
export function isCanonicalBase64url(segment: string): boolean {
  if (!ALPHABET.test(segment)) return false;
  const remainder = segment.length % 4;
  if (remainder === 0) return true;
  const last = DIGITS.indexOf(segment.slice(-1));
  return remainder === 2 ? (last & 0b1111) === 0 : remainder === 3 && (last & 0b11) === 0;
}
