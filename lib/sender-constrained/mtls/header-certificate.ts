import type { HttpRequestLike } from '../../authentication/credentials.js';
import { singleRawHeader } from '../../authentication/http/raw-header.js';
import { AuthError } from '../../errors/auth.error.js';
import type { HeaderCertificateOptions } from '../../features/mtls-options.js';
import type { CertificateSource, ClientCertificate } from './certificate-source.js';
import { headerFor, type CertificateHeaderReader } from './headers/header-presets.js';
import { proxyTest, type ProxyTest } from './trusted-proxies.js';

/** The certificate that a trusted proxy passes on; what anyone else sends in that header is ignored (RFC 9440 §4). */
export class HeaderCertificate implements CertificateSource {
  readonly #header: CertificateHeaderReader;
  readonly #isTrusted: ProxyTest;

  constructor({ preset, trustedProxies }: HeaderCertificateOptions) {
    this.#header = headerFor(preset);
    this.#isTrusted = proxyTest(trustedProxies);
  }

  certificateOf(http: HttpRequestLike): ClientCertificate {
    const { name, read } = this.#header;
    if (!this.#isTrusted(http))
      return { absence: `the request is from no trusted proxy, so that ${name} is ignored` };
    const value = singleRawHeader(http, name);
    if (value === undefined || value === '') return { absence: `the proxy has sent no ${name}` };
    try {
      const thumbprint = read(value, (other) => singleRawHeader(http, other));
      return thumbprint === undefined
        ? { absence: `the ${name} of the proxy names no certificate` }
        : { thumbprint };
    } catch (error) {
      // Such as a second header; anything else is a value that cannot be decoded.
      if (error instanceof AuthError) throw error;
      return { absence: `the ${name} of the proxy cannot be decoded` };
    }
  }
}
