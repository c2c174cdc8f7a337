import { AuthError } from './auth.error.js';

/** One thing wrong with the configuration. */
export interface ConfigurationProblem {
  /** Path of the option, e.g. `issuers[1].metadata.timeout`. */
  readonly option: string;
  /** What was given, shortened. */
  readonly given: string;
  /** What is allowed there. */
  readonly allowed: string;
}

/**
 * The application is set up wrongly. Thrown at boot with every problem at once; while it runs only where a function of
 * the options returns what it may not.
 */
export class AuthConfigurationError extends AuthError {
  readonly problems: readonly ConfigurationProblem[];

  constructor(problems: readonly ConfigurationProblem[] | string, options?: ErrorOptions) {
    const list = typeof problems === 'string' ? [] : problems;
    const message = typeof problems === 'string' ? problems : summary(problems);
    super('AUTH_CONFIGURATION_INVALID', message, options);
    this.problems = Object.freeze([...list]);
    Error.captureStackTrace(this, new.target);
  }
}

function summary(problems: readonly ConfigurationProblem[]): string {
  const lines = problems.map(
    ({ option, given, allowed }) => `  - ${option}: got ${given}; allowed: ${allowed}`,
  );
  return ['The options of AuthModule are not valid:', ...lines].join('\n');
}
