import { AuthConfigurationError } from '../errors/configuration.error.js';
import { TokenMissingError } from '../errors/request.errors.js';
import type { AuthenticatedToken } from './authenticated-token.js';
import { assertHeaderLength, bearerToken } from './bearer-token.js';
import type { Answer } from './known-token.js';
import type { ResolvedAuthOptions } from '../options/resolved-options.js';
import { assertNotAwaited, isThenable } from './thenable.js';

const ASKED_ABOUT_ITSELF = 'A function of the options asked for the answer that it is asked for itself';

/** Takes the token out of a request and has it authenticated once, however many guards ask. */
export class RequestAuthentication {
  readonly #answers = new WeakMap<object, Answer>();
  /** The requests whose answers are being found at this moment. */
  readonly #begun = new Set<object>();

  constructor(
    private readonly options: Pick<ResolvedAuthOptions, 'jwtFromRequest' | 'tokenMaxLength'>,
    private readonly authenticate: (token: string, request: object) => Answer,
  ) {}

  /** What becomes of a request; the same every time, refusals included. Never throws. */
  answerTo(request: object): Answer {
    const known = this.#answers.get(request);
    if (known) return known;
    const answer = this.#begin(request);
    this.#answers.set(request, answer);
    return answer;
  }

  /** What a request was authenticated with, if it was. */
  tokenOf(request: object): AuthenticatedToken | undefined {
    const answer = this.#answers.get(request);
    return isThenable(answer) ? undefined : answer;
  }

  #begin(request: object): Answer {
    if (this.#begun.has(request)) return refused(new AuthConfigurationError(ASKED_ABOUT_ITSELF));
    this.#begun.add(request);
    try {
      const answer = this.authenticate(this.#extract(request), request);
      return isThenable(answer) ? this.#await(answer, request) : answer;
    } catch (error) {
      return refused(error);
    } finally {
      this.#begun.delete(request);
    }
  }

  #await(answer: Promise<AuthenticatedToken>, request: object): Promise<AuthenticatedToken> {
    const settled = answer.then((token) => {
      this.#answers.set(request, token);
      return token;
    });
    return heldBack(settled);
  }

  #extract(request: object): string {
    const { jwtFromRequest, tokenMaxLength } = this.options;
    if (!jwtFromRequest) return bearerToken(request);
    assertHeaderLength(request, tokenMaxLength);
    const token: unknown = jwtFromRequest(request);
    assertNotAwaited(token, 'jwtFromRequest');
    if (typeof token !== 'string' || token === '') throw new TokenMissingError();
    return token;
  }
}

/** A rejection is handled by the guard that asks for it; until then Node must not call it unhandled. */
function heldBack<T>(answer: Promise<T>): Promise<T> {
  answer.catch(() => undefined);
  return answer;
}

function refused(reason: unknown): Promise<never> {
  return heldBack(Promise.reject(reason));
}
