import type { AuthExtension } from '../../auth.options.js';
import type { FeatureHost } from '../../features/feature.js';
import type { MtlsOptions } from '../../features/mtls-options.js';
import { CertificateCheck } from './certificate-check.js';
import type { CertificateSource } from './certificate-source.js';
import { HeaderCertificate } from './header-certificate.js';
import { SocketCertificate } from './socket-certificate.js';

/** Returns what the option `mtls` adds to an application. */
export function mtlsExtension({ options: { mtls } }: FeatureHost): AuthExtension {
  return mtls ? { name: 'mtls', tokenCheck: new CertificateCheck(sourceOf(mtls)) } : { name: 'mtls' };
}

function sourceOf(options: MtlsOptions): CertificateSource {
  return options.from === 'socket' ? new SocketCertificate() : new HeaderCertificate(options);
}
