import { oneLine } from '../../errors/one-line.js';

const MAX_TEXT = 200;

/** Describes what `fetch` threw. It hides the reason ("connect ECONNREFUSED …") in the cause. */
export function describeThrown(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'could not be reached';
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  return `could not be reached: ${oneLine(cause.message || code, MAX_TEXT)}`;
}

/** Describes a redirect by its target, without the query: that may hold secrets. */
export function describeRedirect(status: number, location: string | null, address: string): string {
  const target =
    location !== null && URL.canParse(location, address) ? new URL(location, address) : undefined;
  const to = target ? ` to ${oneLine(`${target.origin}${target.pathname}`, MAX_TEXT)}` : '';
  return `answered ${status}, a redirect${to}; redirects are not followed: set metadataAddress or jwksUri to the final address`;
}

/** Describes an answer that is neither 200 nor a redirect. */
export function describeRefusal(status: number, isOwnAnswer: boolean): string {
  if (!isOwnAnswer) return `answered ${status}`;
  return `answered ${status} by AuthModule, which protects the route that serves it: put @AllowAnonymous() on that route`;
}

/** Whether a refused request was answered by an application that uses this library, such as this one. */
export function isOwnAnswer(document: unknown): boolean {
  return (
    typeof document === 'object' &&
    document !== null &&
    'errorCode' in document &&
    document.errorCode === 'AUTH_TOKEN_MISSING'
  );
}
