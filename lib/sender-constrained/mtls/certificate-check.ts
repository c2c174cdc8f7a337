import { CERTIFICATE_THUMBPRINT, confirmationOf } from '../../token/confirmation.js';
import type { PresentedToken, TokenCheck } from '../../authentication/token-check.js';
import { withFixedText } from '../../errors/auth.error.js';
import { TokenError } from '../../errors/token.errors.js';
import type { CertificateSource } from './certificate-source.js';

/**
 * Compares the certificate that a token is bound to with that of the connection (RFC 8705 §3). Reads nothing for a token
 * that is not bound; runs after the token's own checks, so that no certificate ever stands in for them.
 */
export class CertificateCheck implements TokenCheck {
  readonly confirms = [CERTIFICATE_THUMBPRINT];

  constructor(private readonly source: CertificateSource) {}

  /** @throws {TokenError} @throws {RequestInvalidError} */
  check({ claims, credentials }: PresentedToken): void {
    const bound = confirmationOf(claims, CERTIFICATE_THUMBPRINT);
    if (bound === undefined) return;
    if (!credentials.http) throw mismatch('the operation has no HTTP request, and so no certificate');
    const { thumbprint, absence } = this.source.certificateOf(credentials.http);
    if (thumbprint === undefined) throw mismatch(absence);
    if (thumbprint !== bound) throw mismatch('the connection has another certificate');
  }
}

function mismatch(reason: string): TokenError {
  const message = `The token is bound to a client certificate: ${reason}`;
  return withFixedText(new TokenError('AUTH_CERTIFICATE_MISMATCH', message));
}
