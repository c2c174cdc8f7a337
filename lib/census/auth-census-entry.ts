import type { Requirements } from '../authorized/requirements/requirements.js';

/** What serves a handler: the same words as `ExecutionContext.getType()`. */
export type HandlerKind = 'http' | 'graphql' | 'ws' | 'rpc';

/** One handler of the application, and what protects it. */
export interface AuthCensusEntry {
  readonly kind: HandlerKind;
  /** The controller, resolver or gateway. */
  readonly class: abstract new (...args: never[]) => unknown;
  /** The name of the method. */
  readonly method: string;
  readonly requirements: Requirements;
  /** Open on purpose: `@AllowAnonymous` holds. */
  readonly anonymous: boolean;
  /** A guard of this library runs before it. Neither this nor `anonymous`: nothing is said of the handler. */
  readonly protected: boolean;
}
