import { confirmationOf, KEY_THUMBPRINT } from '../../../token/confirmation.js';
import { ProofError } from '../../../errors/request.errors.js';
import { requirementKind } from '../requirement-kind.js';

export interface DpopOption {
  /**
   * `true`: the token must be bound to a key of the client, and come with a proof of possession (DPoP). Needs the option
   * `dpop` of the module: the boot fails without. Default `false`: a bound token is checked all the same.
   */
  dpop?: boolean | undefined;
}

/** Only that the token is bound: the check that `dpop` switches on has proven it, or the token would not be accepted. */
export const dpopKind = requirementKind<boolean, true>({
  takes: 'true or false',
  needs: 'dpop',
  validate: (value) => typeof value === 'boolean',
  combine: (values) => (values.includes(true) ? [true] : []),
  isMet: (_, { token }) => confirmationOf(token.claims, KEY_THUMBPRINT) !== undefined,
  denial: () =>
    new ProofError('AUTH_PROOF_MISSING', 'The handler requires a token with a proof of possession'),
});
