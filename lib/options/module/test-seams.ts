import type { ResolvedAuthOptions } from '../resolved-options.js';

/*
 * What `nestjs-resilient-auth/testing` replaces in an application. Nothing else provides them.
 */

/** Changes the options of the application before they are checked. */
export type IssuerOverride = (options: unknown) => unknown;

/** What it is injected by; `undefined` outside tests. */
export const ISSUER_OVERRIDE = Symbol('nestjs-resilient-auth:issuer-override');

/** A method of an `Authenticator` that stands in for the real one, called at boot with the application's options. */
export const USE_OPTIONS = Symbol('nestjs-resilient-auth:use-options');

/** A stand-in that reads scopes and roles as the application does. */
export interface StandIn {
  [USE_OPTIONS](options: ResolvedAuthOptions): void;
}

export function isStandIn(authenticator: object): authenticator is StandIn {
  return USE_OPTIONS in authenticator;
}
