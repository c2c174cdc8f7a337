import type { RequirementKind } from '../requirement-kind.js';

export interface OnExpiryOption {
  /**
   * On `@Sse()` handlers: `'end'` ends the stream when the token expires (clock tolerance included) or its key is
   * withdrawn, with a last event `auth` that holds the errorCode. Default: the stream runs as long as the handler's.
   */
  onExpiry?: 'end' | undefined;
}

/** Not checked when the handler is called: `StreamExpiryInterceptor` acts on it afterwards. */
export const onExpiryKind: RequirementKind = {
  takes: "'end'",
  isValid: (value) => value === 'end',
  checksFor: () => [],
};
