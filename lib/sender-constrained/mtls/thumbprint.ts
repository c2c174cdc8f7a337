import { createHash } from 'node:crypto';

/** RFC 8705 §3.1: base64url of the SHA-256 of the DER encoding. */
export function thumbprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('base64url');
}
