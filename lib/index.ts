/** `ResilientAuthModule` is the same module, for applications that have an `AuthModule` of their own. */
export { AuthModule, AuthModule as ResilientAuthModule } from './auth.module.js';
export type {
  AuthExtension,
  ExtensionHost,
  AuthModuleExtras,
  AuthModuleOptions,
  IssuerOptions,
  ResilientAuthOptions,
  ResilientAuthOptionsFactory,
  TokenCacheOptions,
  TokenExtractor,
  ValidateContext,
} from './auth.options.js';
export type {
  CertificateHeader,
  CertificateHeaderPreset,
  HeaderCertificateOptions,
  MtlsOptions,
  SocketCertificateOptions,
} from './features/mtls-options.js';

export type { DpopNonceOptions, DpopOptions, ReplayStore } from './features/dpop-options.js';

export { AllowAnonymous, Authorized } from './authorized/authorized.decorator.js';
export { AuthorizedGuard } from './authorized/authorized.guard.js';
export type { AnswerExtension, Refusal } from './authorized/answers/answer-extension.js';
export {
  AUTH_EXPOSED_HEADERS,
  toHttpException,
  type ToHttpExceptionOptions,
} from './authorized/answers/http-exception.js';
export type { AuthAnswer, Challenge } from './authorized/answers/auth-answer.js';
export { AuthContext, type OtherContexts } from './authorized/contexts/auth-context.js';
export type { AcceptedCall } from './authorized/contexts/accepted-call.js';
export { AuthContexts } from './authorized/contexts/auth-contexts.js';
export type {
  AuthorizationPolicy,
  Policy,
  PolicyFunction,
} from './authorized/requirements/authorization-policy.js';
export { CurrentToken, CurrentUser, type ParameterPipe } from './authorized/current-user.decorator.js';
export type { AuthorizedOptions } from './authorized/requirements/authorized-options.js';
export type {
  NeededOption,
  RequirementCheck,
  RequirementSubject,
} from './authorized/requirements/requirement-kind.js';
export type { Requirements } from './authorized/requirements/requirements.js';

export { AuthCensus } from './census/auth-census.js';
export type { AuthCensusEntry, HandlerKind } from './census/auth-census-entry.js';

export { Authenticator, type SecretOrKeyProvider } from './authentication/authenticator.js';
export type { Authentication, AuthObserver, ObserverHost } from './authentication/outcomes/auth-observer.js';
export type { PresentedToken, TokenCheck } from './authentication/token-check.js';
export type { AuthenticatedToken } from './authentication/authenticated-token.js';
export type { PublicUrlOption } from './authentication/http/public-url.js';
export type { Credentials, HttpRequestLike, NodeRequestLike } from './authentication/credentials.js';
export type { ClaimPath, ClaimReader } from './authentication/scopes-and-roles.js';
export type { Claims, TokenHeader } from './token/unverified-token.js';
export type { TokenCacheStatus } from './token/verified-token-cache.js';

export { Clock, type TimerHandle } from './time/clock.js';
export { FileMetadataStore } from './metadata/store/file-metadata-store.js';
export type { IssuerMetadata } from './keys/issuer-metadata.js';
export type { BudgetUse, MetadataEvent, RefreshTrigger, StoreOperation } from './metadata/metadata-events.js';
export type {
  Duration,
  MetadataFetch,
  MetadataOptions,
  MetadataRequestInit,
  MetadataResponse,
  MetadataResponseBody,
  Startup,
} from './metadata/metadata-options.js';
export { MetadataProvider } from './metadata/metadata.provider.js';
export { MetadataProviders } from './metadata/metadata.providers.js';
export type { RefreshRequest } from './metadata/refresh/refresh-request.js';
export type { MetadataState, MetadataStatus } from './metadata/metadata-status.js';
export type {
  FailureNotice,
  GrantedLease,
  LeaseRequest,
  LeasingMetadataStore,
  MetadataLease,
  MetadataStore,
  RefusedLease,
  SaveOptions,
  StoredMetadata,
  StoreListener,
  WatchableMetadataStore,
} from './metadata/store/metadata-store.js';
export type { SigningKey } from './keys/signing-key.js';

export type { ProtectedResourceOptions } from './features/protected-resource-options.js';
export { AccessDeniedError, StepUpRequiredError, type RequiredLogin } from './errors/access.errors.js';
export {
  AuthError,
  type AccessErrorCode,
  type AuthErrorCode,
  type ProofErrorCode,
  type TokenErrorCode,
} from './errors/auth.error.js';
export { AuthConfigurationError, type ConfigurationProblem } from './errors/configuration.error.js';
export {
  MetadataRefreshError,
  MetadataStoreError,
  MetadataUnavailableError,
  type KeyFault,
  type KeyRefusal,
  type MetadataFault,
  type RefreshFailureDetails,
  type StoreFault,
} from './errors/metadata.errors.js';
export {
  ProofError,
  ReplayStoreUnavailableError,
  RequestInvalidError,
  TokenMissingError,
  type ProofDemand,
} from './errors/request.errors.js';
export {
  SignatureInvalidError,
  TokenError,
  TokenRejectedError,
  type Staleness,
} from './errors/token.errors.js';
