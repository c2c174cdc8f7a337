import type { ConfigurationProblem } from '../../errors/configuration.error.js';
import { isIssuerTemplate } from '../../token/trusted-issuer.js';
import type { CheckedIssuer, CheckedModuleOptions } from '../schema.js';

const RESOURCE_UNKNOWN =
  'required with protectedResource: the URL of this API as its clients see it (or protectedResource.resource)';
const NO_ADDRESS =
  'required, since an issuer holds {tenantid}: the issuers where clients get tokens, such as https://login.microsoftonline.com/<tenant id>/v2.0';

/** Finds what `protectedResource` needs of other options. */
export function problemsOfProtectedResource(
  { protectedResource, publicUrl }: CheckedModuleOptions,
  issuers: readonly CheckedIssuer[],
): readonly ConfigurationProblem[] {
  if (!protectedResource) return [];
  const { resource, authorizationServers } = protectedResource;
  const problems: ConfigurationProblem[] = [];
  if (resource === undefined && publicUrl === undefined)
    problems.push({ option: 'publicUrl', given: 'undefined', allowed: RESOURCE_UNKNOWN });
  if (authorizationServers === undefined && issuers.some(({ issuer }) => isIssuerTemplate(issuer)))
    problems.push({
      option: 'protectedResource.authorizationServers',
      given: 'undefined',
      allowed: NO_ADDRESS,
    });
  return problems;
}
