import { AuthConfigurationError } from '../errors/configuration.error.js';

/** What stands in the way of a guard before it sees a request. */
export function notReady(hasAuthenticator: boolean): AuthConfigurationError {
  return hasAuthenticator ? notInitialized() : withoutModule();
}

/** The module of the handler has no `Authenticator`. */
export function withoutModule(): AuthConfigurationError {
  return new AuthConfigurationError(
    'AuthorizedGuard needs the Authenticator of AuthModule, and the module of this handler has none: import AuthModule.forRoot(…) in the root module, ' +
      'or in this one when isGlobal is false. Where it is imported, there are two copies of nestjs-resilient-auth (npm ls, npm dedupe). In a test of a controller without it, call .overrideGuard(AuthorizedGuard).useValue({ canActivate: () => true })',
  );
}

function notInitialized(): AuthConfigurationError {
  return new AuthConfigurationError(
    'AuthorizedGuard was called before AuthModule was initialized: call `await app.init()` (in a unit test `await module.init()`) first. ' +
      'LazyModuleLoader initializes no module: import AuthModule in the root module',
  );
}
