import { AuthConfigurationError } from '../errors/configuration.error.js';
import { TokenMissingError } from '../errors/request.errors.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { assertExtractable, presentedToken } from './bearer-token.js';
import type { Credentials } from './credentials.js';
import type { Answer } from './known-token.js';
import type { Outcomes, PendingAuthentication } from './outcomes/outcomes.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import { assertNotAwaited, isThenable } from './thenable.js';

const CALLED_BY_ITSELF =
  'A function of the options authenticates the operation that it is called for; use its arguments in place of that';

/** Reads the token of an operation and has it authenticated once, for any number of guards. */
export class RequestAuthentication {
  readonly #answers = new WeakMap<object, Answer>();
  /** The operations whose answers are being found at this moment, one inside the other: a list, since it is short. */
  readonly #begun: object[] = [];

  constructor(
    private readonly options: Pick<ResolvedAuthOptions, 'jwtFromRequest' | 'tokenMaxLength'>,
    private readonly schemes: ReadonlySet<string>,
    private readonly outcomes: Outcomes,
    private readonly authenticate: (
      token: string,
      credentials: Credentials,
      pending: PendingAuthentication | undefined,
    ) => Answer,
  ) {}

  /** What becomes of an operation; the same every time, refusals included. Never throws. */
  answerTo(operation: object, credentials: Credentials): Answer {
    const known = this.#answers.get(operation);
    if (known) return known;
    const answer = this.#begin(operation, credentials);
    this.#answers.set(operation, answer);
    return answer;
  }

  /** What an operation was authenticated with, if it was. */
  tokenOf(operation: object): AuthenticatedToken | undefined {
    const answer = this.#answers.get(operation);
    return isThenable(answer) ? undefined : answer;
  }

  #begin(operation: object, credentials: Credentials): Answer {
    if (this.#begun.includes(operation)) return refused(new AuthConfigurationError(CALLED_BY_ITSELF));
    this.#begun.push(operation);
    const pending = this.outcomes.begin();
    try {
      const answer = this.authenticate(this.rawTokenIn(credentials), credentials, pending);
      if (isThenable(answer)) return this.#await(answer, operation, pending);
      this.outcomes.accepted(pending);
      return answer;
    } catch (error) {
      this.outcomes.refused(error, pending);
      return refused(error);
    } finally {
      this.#begun.pop();
    }
  }

  #await(
    answer: Promise<AuthenticatedToken>,
    operation: object,
    pending: PendingAuthentication | undefined,
  ): Promise<AuthenticatedToken> {
    const settled = answer.then(
      (token) => {
        this.#answers.set(operation, token);
        this.outcomes.accepted(pending);
        return token;
      },
      (error: unknown) => {
        this.outcomes.refused(error, pending);
        throw error;
      },
    );
    return heldBack(settled);
  }

  /** Reads the token as it was sent. @throws {AuthError} there is none, or the credentials are malformed */
  rawTokenIn(credentials: Credentials): string {
    const { jwtFromRequest, tokenMaxLength } = this.options;
    if (!jwtFromRequest || !credentials.http) return presentedToken(credentials, this.schemes);
    assertExtractable(credentials, tokenMaxLength);
    const token: unknown = jwtFromRequest(credentials.http);
    assertNotAwaited(token, 'jwtFromRequest');
    if (typeof token !== 'string' || token === '') throw new TokenMissingError();
    return token;
  }
}

/** A rejection is handled by the guard that awaits it; until then Node must not report it as unhandled. */
function heldBack<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  return answer;
}

function refused(reason: unknown): Promise<never> {
  return heldBack(Promise.reject(reason));
}
