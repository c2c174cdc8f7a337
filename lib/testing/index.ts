export { Clock } from '../time/clock.js';
export { authenticatedAs } from './overrides/authenticated-as.js';
export { ManualClock } from './manual-clock.js';
export { overrideIssuer, type OverridableModule } from './overrides/override-issuer.js';
export {
  TestDpopClient,
  type SignToken,
  type TestDpopHeaders,
  type TestProofOptions,
} from './dpop/test-dpop-client.js';
export {
  TestIssuer,
  type TestIssuerFailure,
  type TestIssuerKeyId,
  type TestIssuerModuleOptions,
  type TestIssuerOptions,
} from './test-issuer.js';
export type { TestIssuerEndpoint, TestIssuerHeaders } from './test-issuer.answers.js';
export type { TestIssuerFault } from './test-issuer.faults.js';
export type { PublishKeyOptions, RotateKeysOptions } from './test-issuer.keys.js';
export type { TestIssuerHold, TestIssuerRequest, TestIssuerScope } from './test-issuer.server.js';
export type { SignOptions, TestClaims } from './test-issuer.tokens.js';
