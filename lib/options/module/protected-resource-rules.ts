import type { ConfigurationProblem } from '../../errors/configuration.error.js';
import { isIssuerTemplate } from '../../token/trusted-issuer.js';
import type { CheckedOptions } from '../cross-field-rules.js';
import { problem } from '../problems.js';

const RESOURCE_UNKNOWN =
  'required with protectedResource: the URL of this API as its clients see it (or protectedResource.resource)';
const NO_ADDRESS =
  'required, since an issuer holds {tenantid}: the issuers where clients get tokens, such as https://login.microsoftonline.com/<tenant id>/v2.0';

/** Finds what `protectedResource` needs of other options. */
export function problemsOfProtectedResource({
  module: { protectedResource, publicUrl },
  issuers,
}: CheckedOptions): readonly ConfigurationProblem[] {
  if (!protectedResource) return [];
  const { resource, authorizationServers } = protectedResource;
  const problems: ConfigurationProblem[] = [];
  if (resource === undefined && publicUrl === undefined)
    problems.push(problem('publicUrl', undefined, RESOURCE_UNKNOWN));
  if (authorizationServers === undefined && issuers.some(({ issuer }) => isIssuerTemplate(issuer)))
    problems.push(problem('protectedResource.authorizationServers', undefined, NO_ADDRESS));
  return problems;
}
