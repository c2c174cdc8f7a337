import { AuthError, MetadataRefreshError } from 'nestjs-resilient-auth';
import type { MetadataFault } from 'nestjs-resilient-auth';
import { SettingsError } from './settings.js';

const isTheAddressRight = 'Is ISSUER the address without /.well-known/openid-configuration?';
const isItThere = 'Is ISSUER spelled right, and can this machine reach it?';
const advice: Partial<Record<MetadataFault, string>> = {
  unreachable: isItThere,
  timeout: isItThere,
  status: isTheAddressRight,
  redirect: isTheAddressRight,
  'not-json': isTheAddressRight,
  'wrong-issuer':
    'ISSUER must be what that document calls "issuer", character by character; often a slash at the end is the difference.',
};

/** What a user needs to read when the sample does not start: no stack trace for what is not a bug. */
export function explainProblem(problem: unknown): string {
  if (problem instanceof SettingsError) {
    return problem.message;
  }
  if (problem instanceof AuthError) {
    // The message names the address and the cause.
    const fault = problem.cause instanceof MetadataRefreshError ? problem.cause.fault : undefined;
    return [problem.message, fault && advice[fault]].filter(Boolean).join('\n');
  }
  if (problem instanceof Error && 'code' in problem && problem.code === 'EADDRINUSE') {
    return `${problem.message}. Set PORT (the API) or PROVIDER_PORT (the embedded provider) to a free port.`;
  }
  return problem instanceof Error ? (problem.stack ?? problem.message) : String(problem);
}
