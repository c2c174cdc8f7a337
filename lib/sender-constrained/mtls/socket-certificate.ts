import type { HttpRequestLike } from '../../authentication/credentials.js';
import type { CertificateSource, ClientCertificate } from './certificate-source.js';
import { thumbprintOf } from './thumbprint.js';

/**
 * The certificate of the TLS connection that ends in this process. The handshake has proven that the client holds its
 * key; who issued it is the authorization server's concern (RFC 8705 §2.2 has self-signed ones).
 */
export class SocketCertificate implements CertificateSource {
  certificateOf({ raw, socket, stream }: HttpRequestLike): ClientCertificate {
    const connection = raw ? raw.socket : socket;
    try {
      return certificateOn(connection);
    } catch {
      // Node's socket of an HTTP/2 session that has ended throws at every access.
      return { absence: stream ? 'the HTTP/2 session has ended' : 'the connection has ended' };
    }
  }
}

function certificateOn(connection: unknown): ClientCertificate {
  const read = isObject(connection) ? Reflect.get(connection, 'getPeerX509Certificate') : undefined;
  if (typeof read !== 'function')
    return { absence: "the connection is not TLS; behind a proxy, use mtls: { from: 'header' }" };
  const certificate: unknown = Reflect.apply(read, connection, []);
  const der = isObject(certificate) ? Reflect.get(certificate, 'raw') : undefined;
  if (!(der instanceof Uint8Array) || der.length === 0)
    return { absence: 'the connection has none; the server must be created with requestCert: true' };
  return { thumbprint: thumbprintOf(der) };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
