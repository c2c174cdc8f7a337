import type { AnswerExtension, Refusal } from '../authorized/answers/answer-extension.js';
import { requiredScopes } from '../authorized/requirements/required-scopes.js';

/**
 * Returns what adds to each challenge of a 401 or 403: `resource_metadata` (RFC 9728 §5.1), and on a 401 the scopes that
 * the handler names (RFC 6750 §3), so that the client's first token is enough.
 *
 * @param urlFor the address of the metadata; `undefined` where it cannot be known
 */
export function challengesNaming(urlFor: (refusal: Refusal) => string | undefined): AnswerExtension {
  return (answer, refusal) => {
    const { status, challenges } = answer;
    if ((status !== 401 && status !== 403) || challenges.length === 0) return answer;
    const url = urlFor(refusal);
    const scopes = status === 401 ? requiredScopes(refusal.requirements.checks) : [];
    const added = {
      ...(scopes.length > 0 && { scope: scopes.join(' ') }),
      ...(url !== undefined && { resource_metadata: url }),
    };
    return {
      ...answer,
      challenges: challenges.map(({ scheme, parameters }) => ({
        scheme,
        parameters: { ...parameters, ...added },
      })),
    };
  };
}
