import type { AnswerExtension } from '../../authorized/answers/answer-extension.js';
import type { Challenge } from '../../authorized/answers/auth-answer.js';
import type { Credentials } from '../../authentication/credentials.js';
import type { Requirements } from '../../authorized/requirements/requirements.js';

/** What the challenges depend on. */
export interface ChallengeSettings {
  readonly algorithms: readonly string[];
  /** Whether a token that is no more than a bearer token may be accepted at all. */
  readonly acceptsBearer: boolean;
}

/**
 * Adds the challenge `DPoP` (RFC 9449 §7.1). The scheme that was used comes first and has the error; where only bound
 * tokens are accepted, `DPoP` stands alone.
 */
export function dpopChallenges({ algorithms, acceptsBearer }: ChallengeSettings): AnswerExtension {
  const algs = algorithms.join(' ');
  return (answer, { credentials, requirements }) => {
    const [given] = answer.challenges;
    if (!given) return answer;
    const isDpop = isDpopIn(credentials);
    const { realm, ...error } = given.parameters;
    const plain: Challenge['parameters'] = realm === undefined ? {} : { realm };
    const dpop: Challenge = {
      scheme: 'DPoP',
      parameters: { ...plain, ...(isDpop && error), algs },
    };
    if (!acceptsBearer || requiresDpop(requirements)) return { ...answer, challenges: [dpop] };
    if (isDpop) return { ...answer, challenges: [dpop, { scheme: 'Bearer', parameters: plain }] };
    const bearer = given.scheme === 'Bearer' ? given : { scheme: 'Bearer', parameters: plain };
    return { ...answer, challenges: [bearer, dpop] };
  };
}

/** RFC 9110 §11.1: schemes are compared without regard to case. */
function isDpopIn(credentials: Credentials | undefined): boolean {
  const authorization = credentials?.authorization;
  return typeof authorization === 'string' && /^dpop(?: |$)/i.test(authorization);
}

function requiresDpop({ checks }: Requirements): boolean {
  return checks.some(({ name }) => name === 'dpop');
}
