import { describe, expect, it, vi } from 'vitest';
import type { HttpRequestLike } from '../../../lib/authentication/credentials.js';
import { CertificateCheck } from '../../../lib/sender-constrained/mtls/certificate-check.js';
import type { ClientCertificate } from '../../../lib/sender-constrained/mtls/certificate-source.js';

const BOUND = { 'x5t#S256': 'thumbprint' };
const MISMATCH = expect.objectContaining({ code: 'AUTH_CERTIFICATE_MISMATCH' });

function checkWith(certificate: ClientCertificate) {
  const certificateOf = vi.fn<(http: HttpRequestLike) => ClientCertificate>(() => certificate);
  const check = new CertificateCheck({ certificateOf });
  const run = (cnf: unknown, http?: HttpRequestLike) => () =>
    check.check({
      token: 't',
      scheme: 'bearer',
      claims: { iss: 'https://issuer.test', exp: 1, cnf },
      header: { alg: 'ES256' },
      issuer: 'example',
      credentials: { authorization: 'Bearer t', request: undefined, http },
    });
  return { run, certificateOf };
}

describe('CertificateCheck', () => {
  it('[P4-1] rejects a bound token of an operation without an HTTP request, and reads no certificate', () => {
    const { run, certificateOf } = checkWith({ thumbprint: 'thumbprint' });
    expect(run(BOUND)).toThrow(MISMATCH);
    expect(certificateOf).not.toHaveBeenCalled();
    expect(run(BOUND, {})).not.toThrow();
    expect(certificateOf).toHaveBeenCalledTimes(1);
  });

  it('[P4-1] rejects a bound token when the request has no certificate, or another', () => {
    expect(checkWith({ absence: 'none' }).run(BOUND, {})).toThrow(MISMATCH);
    expect(checkWith({ thumbprint: 'other' }).run(BOUND, {})).toThrow(MISMATCH);
  });

  it('[P4-1] reads nothing for a token without a binding of its own', () => {
    const { run, certificateOf } = checkWith({ thumbprint: 'thumbprint' });
    for (const cnf of [undefined, null, {}, { jkt: 'x' }, Object.create(BOUND)]) run(cnf, {})();
    expect(certificateOf).not.toHaveBeenCalled();
  });
});
