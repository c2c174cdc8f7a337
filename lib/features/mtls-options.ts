import type { HttpRequestLike } from '../authentication/credentials.js';

/** Where the client's certificate of a request is found (RFC 8705 §3). */
export type MtlsOptions = SocketCertificateOptions | HeaderCertificateOptions;

/** The API ends TLS itself, with `requestCert: true`. */
export interface SocketCertificateOptions {
  from: 'socket';
}

/** A reverse proxy ends TLS and passes the certificate on in a header. */
export interface HeaderCertificateOptions {
  from: 'header';
  /** The proxy, or the header of another one. */
  preset: CertificateHeaderPreset | CertificateHeader;
  /**
   * The proxies whose header counts, by the address that the connection comes from, never by `X-Forwarded-For`: networks
   * such as `'10.0.0.0/8'` or single addresses, or a function that returns exactly `true`. From elsewhere the header is ignored.
   */
  trustedProxies: readonly string[] | ((request: HttpRequestLike) => boolean);
}

/** Proxies whose header is known. */
export type CertificateHeaderPreset = 'rfc9440' | 'nginx' | 'envoy' | 'aws-alb' | 'traefik' | 'cloudflare';

/** The header of a proxy that no preset knows. */
export interface CertificateHeader {
  /** Name of the header, in any case. The proxy must remove it from requests of clients. */
  name: string;
  /**
   * Returns the DER encoding of the client's own certificate; `undefined` when the value names none. An error counts as no
   * certificate.
   */
  decode(value: string): Uint8Array | undefined;
}
