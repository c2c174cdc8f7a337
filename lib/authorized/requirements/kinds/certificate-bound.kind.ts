import { CERTIFICATE_THUMBPRINT, confirmationOf } from '../../../token/confirmation.js';
import { TokenError } from '../../../errors/token.errors.js';
import { requirementKind } from '../requirement-kind.js';

export interface CertificateBoundOption {
  /**
   * `true`: the token must be bound to the client certificate of the connection (RFC 8705). Needs the option `mtls` of the
   * module: the boot fails without. Default `false`: a bound token is checked all the same.
   */
  certificateBound?: boolean | undefined;
}

/** Only that the token is bound: the check that `mtls` switches on has compared it with the certificate. */
export const certificateBoundKind = requirementKind<boolean, true>({
  takes: 'true or false',
  needs: 'mtls',
  validate: (value) => typeof value === 'boolean',
  combine: (values) => (values.includes(true) ? [true] : []),
  isMet: (_, { token }) => confirmationOf(token.claims, CERTIFICATE_THUMBPRINT) !== undefined,
  denial: () =>
    new TokenError(
      'AUTH_CERTIFICATE_MISMATCH',
      'The handler requires a token that is bound to a certificate',
    ),
});
