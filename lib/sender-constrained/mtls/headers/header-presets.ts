import { assertNotAwaited } from '../../../authentication/thenable.js';
import { AuthConfigurationError } from '../../../errors/configuration.error.js';
import type { CertificateHeader, CertificateHeaderPreset } from '../../../features/mtls-options.js';
import { thumbprintOf } from '../thumbprint.js';
import { decodeByteSequence } from './byte-sequence.js';
import { decodeBase64Der, decodeEscapedPem } from './escaped-pem.js';
import { thumbprintOfXfcc } from './forwarded-client-cert.js';

/** How the certificate in a proxy's header is read. */
export interface CertificateHeaderReader {
  /** In lower case. */
  readonly name: string;
  /** Returns the thumbprint; `undefined`, or an error, when there is none. @param other reads a second header */
  readonly read: (value: string, other: (name: string) => string | undefined) => string | undefined;
}

const der =
  (decode: (value: string) => Uint8Array | undefined): CertificateHeaderReader['read'] =>
  (value) => {
    const bytes = decode(value);
    return bytes && bytes.length > 0 ? thumbprintOf(bytes) : undefined;
  };

/** One header each: a second name would be one that the proxy does not take from its clients. */
const PRESETS: Readonly<Record<CertificateHeaderPreset, CertificateHeaderReader>> = {
  rfc9440: { name: 'client-cert', read: der(decodeByteSequence) },
  // The name of ingress-nginx; in a configuration of one's own it is `proxy_set_header` that names it.
  nginx: { name: 'ssl-client-cert', read: der(decodeEscapedPem) },
  envoy: { name: 'x-forwarded-client-cert', read: thumbprintOfXfcc },
  // Passthrough mode: the whole chain, the client's own certificate first.
  'aws-alb': { name: 'x-amzn-mtls-clientcert', read: der(decodeEscapedPem) },
  traefik: { name: 'x-forwarded-tls-client-cert', read: der(decodeChain) },
  cloudflare: { name: 'cf-client-cert-der-base64', read: readVerified },
};

/** Returns how to read the header of a preset, or of the application's own choice. */
export function headerFor(preset: CertificateHeaderPreset | CertificateHeader): CertificateHeaderReader {
  if (typeof preset === 'string') return PRESETS[preset];
  return { name: preset.name.toLowerCase(), read: der((value) => assertBytes(preset.decode(value))) };
}

/** Base64 of DER encodings, separated by commas, the client's own first; older versions percent-encode it. */
function decodeChain(value: string): Uint8Array | undefined {
  const [own = ''] = decodeURIComponent(value).split(',');
  return decodeBase64Der(own);
}

/** Cloudflare passes certificates on that it could not verify, and calls revoked ones verified. */
function readVerified(value: string, other: (name: string) => string | undefined): string | undefined {
  const isVerified = other('cf-cert-verified') === 'true' && other('cf-cert-revoked') !== 'true';
  return isVerified ? der(decodeBase64Der)(value, other) : undefined;
}

function assertBytes(decoded: unknown): Uint8Array | undefined {
  if (decoded === undefined || decoded === null || decoded instanceof Uint8Array) return decoded ?? undefined;
  assertNotAwaited(decoded, 'mtls.preset.decode');
  throw new AuthConfigurationError(
    'mtls.preset.decode must return the DER encoding of a certificate, as bytes',
  );
}
