import { decodeBase64 } from './base64.js';

const BEGIN = '-----BEGIN CERTIFICATE-----';
const END = '-----END CERTIFICATE-----';

/**
 * Decodes percent-encoded PEM, as nginx (`$ssl_client_escaped_cert`) and AWS load balancers send it: the first
 * certificate of a chain, which is the client's own. A `+` is itself, not a space.
 */
export function decodeEscapedPem(value: string): Buffer | undefined {
  const pem = decodeURIComponent(value);
  const end = pem.indexOf(END);
  if (!pem.startsWith(BEGIN) || end < 0) return undefined;
  return decodeBase64(pem.slice(BEGIN.length, end).replace(/[\r\n]/g, ''));
}

/** Decodes the base64 of a DER encoding, as Cloudflare sends it. */
export function decodeBase64Der(value: string): Buffer | undefined {
  return decodeBase64(value);
}
