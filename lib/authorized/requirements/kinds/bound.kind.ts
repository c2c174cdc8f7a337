import type { AuthError } from '../../../errors/auth.error.js';
import { ProofError } from '../../../errors/request.errors.js';
import { TokenError } from '../../../errors/token.errors.js';
import { CERTIFICATE_THUMBPRINT, confirmationOf, KEY_THUMBPRINT } from '../../../token/confirmation.js';
import { requirementKind, type NeededOption, type RequirementKind } from '../requirement-kind.js';

export interface BoundOptions {
  /**
   * `true`: the token must be bound to a key of the client, and come with a proof of possession (DPoP). Needs the option
   * `dpop` of the module: the boot fails without. Default `false`: a bound token is checked all the same.
   */
  dpop?: boolean | undefined;
  /**
   * `true`: the token must be bound to the client certificate of the connection (RFC 8705). Needs the option `mtls` of the
   * module: the boot fails without. Default `false`: a bound token is checked all the same.
   */
  certificateBound?: boolean | undefined;
}

export const dpopKind = boundKind(
  'dpop',
  KEY_THUMBPRINT,
  () => new ProofError('AUTH_PROOF_MISSING', 'The handler requires a token with a proof of possession'),
);

export const certificateBoundKind = boundKind(
  'mtls',
  CERTIFICATE_THUMBPRINT,
  () =>
    new TokenError(
      'AUTH_CERTIFICATE_MISMATCH',
      'The handler requires a token that is bound to a certificate',
    ),
);

/**
 * Only that the token is bound: the check that the option switches on has proven it, or the token would not be accepted.
 *
 * @param member of `cnf`
 */
function boundKind(needs: NeededOption, member: string, denial: () => AuthError): RequirementKind {
  return requirementKind<boolean, true>({
    takes: 'true or false',
    needs,
    validate: (value) => typeof value === 'boolean',
    combine: (values) => (values.includes(true) ? [true] : []),
    isMet: (_, { token }) => confirmationOf(token.claims, member) !== undefined,
    denial,
  });
}
