import { isFault } from '../authentication/passport/strategy-options.js';
import { AuthError } from '../errors/auth.error.js';

/** How an authentication ended, in the words of the attributes. */
export interface Outcome {
  readonly outcome: 'accepted' | 'refused' | 'unavailable';
  /** `error.type`. */
  readonly type: string | undefined;
}

const ACCEPTED: Outcome = { outcome: 'accepted', type: undefined };

/** `unavailable`: nothing is known of the token, because it could not be checked or a function of the application failed. */
export function describeOutcome(error: unknown): Outcome {
  if (error === undefined) return ACCEPTED;
  // The fallback value of OpenTelemetry's conventions: names of foreign classes are no closed set.
  if (!(error instanceof AuthError)) return { outcome: 'unavailable', type: '_OTHER' };
  return { outcome: isFault(error) ? 'unavailable' : 'refused', type: error.code };
}
