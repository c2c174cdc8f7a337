import type { HttpRequestLike } from '../../authentication/credentials.js';

/** The client certificate of a request: its SHA-256 thumbprint in base64url, or why there is none. */
export type ClientCertificate =
  | { readonly thumbprint: string; readonly absence?: undefined }
  /** For operators; nothing of the request is in it. */
  | { readonly thumbprint?: undefined; readonly absence: string };

/** Finds the client certificate of a request. */
export interface CertificateSource {
  /** @throws {RequestInvalidError} when the request names several */
  certificateOf(http: HttpRequestLike): ClientCertificate;
}
