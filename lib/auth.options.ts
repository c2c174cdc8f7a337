import type { AbstractHttpAdapter } from '@nestjs/core';
import type { PublicUrlOption } from './authentication/http/public-url.js';
import type { AuthObserver } from './authentication/outcomes/auth-observer.js';
import type { TokenCheck } from './authentication/token-check.js';
import type { AnswerExtension } from './authorized/answers/answer-extension.js';
import type { AuthContext, OtherContexts } from './authorized/contexts/auth-context.js';
import type { AuthCensusEntry } from './census/auth-census-entry.js';
import type { AcceptedCall } from './authorized/contexts/accepted-call.js';
import type { ClaimPath, ClaimReader } from './authentication/scopes-and-roles.js';
import type { MtlsOptions } from './features/mtls-options.js';
import type { DpopOptions } from './features/dpop-options.js';
import type { ProtectedResourceOptions } from './features/protected-resource-options.js';
import type { MetadataOptions } from './metadata/metadata-options.js';
import type { Claims, TokenHeader } from './token/unverified-token.js';

/**
 * Takes the raw token out of a request; any extractor of passport-jwt fits.
 *
 * @returns the token, or `null` when the request carries none
 */
// oxlint-disable-next-line typescript/no-explicit-any -- passport-jwt's own signature; each extractor names its request
export type TokenExtractor = (request: any) => string | null;

/** Limits of the verified-token cache, which spares a token seen before the signature check. */
export interface TokenCacheOptions {
  /** Tokens kept, least recently used evicted first. Default `10_000`, at least 1. */
  max?: number | undefined;
  /**
   * Bytes they may take, estimated from their length and number of values; least recently used evicted first. Default
   * `33_554_432` (32 MiB: 10,000 tokens of 2.5 KiB), at least 65,536.
   */
  maxBytes?: number | undefined;
}

/** What a sub-path, or an application itself, adds to the checks and answers. */
export interface AuthExtension {
  /** Shown in error messages. */
  readonly name: string;
  /** Runs on every operation after the signature, cached tokens included. */
  readonly tokenCheck?: TokenCheck;
  /** Adds to the answers of refusals. */
  readonly answer?: AnswerExtension;
  /** Sees how each authentication ends. */
  readonly observer?: AuthObserver;
  /** Called with each call that the guard has accepted with a token, before its handler; must not throw. */
  readonly accepted?: (call: AcceptedCall) => void;
  /**
   * Called once in an application with HTTP, before Nest adds middleware and the routes of controllers, so that no route
   * for every path comes first: the place for routes of its own, outside of global prefix, versions and guards.
   */
  addRoutes?(httpAdapter: AbstractHttpAdapter): void;
  /** Called once, with Nest's hook of this name. */
  onModuleInit?(host: ExtensionHost): void | Promise<void>;
  /** Called once, when every handler is known: the place to refuse a boot for what they require. */
  onApplicationBootstrap?(host: ExtensionHost): void | Promise<void>;
  /** Called once, with Nest's hook of this name. */
  onApplicationShutdown?(): void | Promise<void>;
}

/** What an extension finds at boot. */
export interface ExtensionHost {
  /** The platform's adapter; absent in a microservice or standalone application. */
  readonly httpAdapter: AbstractHttpAdapter | undefined;
  /** Every handler and what protects it; complete from `onApplicationBootstrap` on. */
  readonly handlers: readonly AuthCensusEntry[];
}

/** Options that concern the whole module. */
export interface AuthModuleOptions {
  /**
   * Replaces the parser of `Authorization: Bearer`. Default: a linear parser of RFC 6750 §2.1. Tokens from cookies and
   * query parameters are at your own risk (RFC 9700 §4.3). The header is measured before an extractor sees the request.
   */
  jwtFromRequest?: TokenExtractor | undefined;
  /** Length of a token, in characters; a longer one is 401 before it is parsed. Default `16_384`, at least 256. */
  tokenMaxLength?: number | undefined;
  /** `realm` of the challenges (RFC 9110 §11.5): printable ASCII without quotes and backslashes. Default none. */
  realm?: string | undefined;
  /** Limits of the verified-token cache; `false` switches it off. Default `{ max: 10_000, maxBytes: 33_554_432 }`. */
  tokenCache?: TokenCacheOptions | false | undefined;
  /**
   * Contexts beside HTTP that `@Authorized` protects: those of the sub-paths, or your own. Default none: a call of
   * another type is refused.
   */
  contexts?: readonly AuthContext[] | undefined;
  /**
   * What a guard of the whole application does with handlers of types that are not switched on: `'refuse'`, or
   * `'ignore'`, which leaves them to their own guards and logs a warning per type. `@Authorized` there is refused all the same.
   * Default `'refuse'`.
   */
  otherContexts?: OtherContexts | undefined;
  /**
   * The API as its clients see it: `'https://api.example.com/v1'`, or a function of the request where there are several.
   * The only source of the resource identifier and of the address that proofs of possession name; `Host` and
   * `X-Forwarded-*` are never read for it. Default none: what needs it fails the boot.
   */
  publicUrl?: PublicUrlOption | undefined;
  /**
   * Scopes that hold further ones: `{ 'files:write': ['files:read'] }`. Transitive; a cycle fails the boot. Challenges name
   * what the handler requires. Default none.
   */
  scopeImplies?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Accepts tokens that are bound to a client certificate (RFC 8705), from the connection that presents it: `{ from:
   * 'socket' }` where the API ends TLS, `{ from: 'header', preset, trustedProxies }` behind a proxy. Default none: such
   * tokens are refused.
   */
  mtls?: MtlsOptions | undefined;
  /**
   * Accepts tokens that are bound to a key of the client, with a proof of possession in each request (DPoP, RFC 9449); needs
   * `publicUrl`. `{}` takes every default. Default none: such tokens are refused.
   */
  dpop?: DpopOptions | undefined;
  /**
   * Publishes what clients have to know about this API (RFC 9728), at an address that every challenge names, so that they
   * find the issuer by themselves; needs `publicUrl`. `true` takes everything from what is known. Default none.
   */
  protectedResource?: ProtectedResourceOptions | true | undefined;
  /** Checks and answers that are added to those of the core, in this order. Default none. */
  extensions?: readonly AuthExtension[] | undefined;
}

/** What a `validate` function gets beside the claims. */
export interface ValidateContext {
  /** The issuer's `name`. */
  readonly issuer: string;
  /** The header of the token, verified. */
  readonly header: TokenHeader;
  /** The HTTP request, when there is one. */
  readonly request?: unknown;
}

/** One issuer whose access tokens are accepted. */
export interface IssuerOptions {
  /**
   * What the metadata must name, character by character (RFC 8414 §3.3): a URL without query and fragment, https unless
   * `metadata.requireHttps` is `false`. May hold `{tenantid}` (Entra ID), more than once. Required.
   */
  issuer: string;
  /**
   * Identifiers of this API: a token is accepted when its `aud` has one of them, compared as they are (RFC 9068 §4).
   * `null` switches the check off on purpose, for issuers that send no `aud`. Required.
   */
  audience: string | readonly string[] | null;
  /** How `MetadataProviders.get(name)` and `@Authorized({ issuers: [name] })` call this issuer. Default: `issuer`. */
  name?: string | undefined;
  /**
   * The `iss` values accepted in tokens, compared exactly; `{tenantid}` allowed. Default `[issuer]`. The same value in
   * two issuers, two spellings of a template included, fails the boot.
   */
  tokenIssuers?: readonly string[] | undefined;
  /**
   * The tenants accepted: a list of GUIDs, compared without regard to case, or a function that returns `true`; `null`
   * accepts any. Required with `{tenantid}` in `issuer` or `tokenIssuers`, refused without.
   */
  tenants?: readonly string[] | ((tenantId: string) => boolean) | null | undefined;
  /**
   * Address of the discovery document, or a list for an issuer with several (user flows of Azure AD B2C): their key sets
   * are united, each read by itself. Default `<issuer>/.well-known/openid-configuration`, RFC 8414's when that is a 404.
   */
  metadataAddress?: string | readonly string[] | undefined;
  /** Address of the key set, or a list likewise; no discovery document is read then. Default: from discovery. */
  jwksUri?: string | readonly string[] | undefined;
  /**
   * Signature algorithms accepted. Default `RS`, `PS` and `ES` with 256, 384 and 512, `EdDSA` and `Ed25519`. `ML-DSA-44`,
   * `-65` and `-87` can be named where the runtime has them; `none` and `HS*` fail the boot. RSA keys published without
   * `alg` serve RS256, or with this option the RSA algorithms it names.
   */
  algorithms?: readonly string[] | undefined;
  /**
   * Values of the header's `typ` accepted, compared as media types (RFC 7515 §4.1.9); `null` stands for an absent `typ`.
   * Default `['at+jwt', 'JWT', null]`; `['at+jwt']` alone is strict RFC 9068 and asks for `sub`, `client_id`, `jti`, `iat`.
   */
  tokenTypes?: readonly (string | null)[] | undefined;
  /**
   * Claims required beyond `iss`, `exp` and `aud`; `null` counts as absent. A list of names, or the values accepted by
   * name: `{ client_id: ['web', 'mobile'], token_use: ['access'], sub: true }`; values are compared exactly, and a claim
   * that is no string has none of them. Default `[]`.
   */
  requiredClaims?: readonly string[] | Readonly<Record<string, readonly string[] | true>> | undefined;
  /**
   * Clock skew allowed on `exp`, `nbf` and, with `maxTokenAge`, `iat`: a string with its unit. Default `'30s'`, `'0s'` to
   * `'5m'` (RFC 7519 §4.1.4: no more than a few minutes).
   */
  clockTolerance?: string | undefined;
  /**
   * Age of a token from its `iat`, as a string with its unit, at least `'1s'`; an older one is refused, and so is one
   * without `iat` or from the future. Default none: `iat` is not looked at.
   */
  maxTokenAge?: string | undefined;
  /**
   * Accepts ID tokens too, for issuers that have no other JWT (Google), with the checks of OIDC Core §3.1.3.7: `audience`
   * is the client they are for, and so is `azp`. Default `false`: an ID token is refused.
   */
  acceptIdTokens?: boolean | undefined;
  /**
   * `'require'` refuses tokens of this issuer that are not bound to a key or a certificate of the client; needs the option
   * `dpop` of the module. Default `'accept'`: a token that is not bound is a bearer token.
   */
  senderConstraint?: 'accept' | 'require' | undefined;
  /**
   * Maps the claims to `request.user`, or refuses: a falsy result or a thrown `TokenRejectedError` is 401, any other
   * error passes through. Runs on every request; may be async. Default: the claims themselves, frozen.
   */
  validate?: ((claims: Claims, context: ValidateContext) => unknown) | undefined;
  /**
   * Where this issuer keeps scopes: the path of a claim (`'permissions'`, or a list of names where a name holds a dot), or
   * a function that runs on every request. A string at the path is split at spaces. Default: `scope`; `scp` where that is
   * absent or empty.
   */
  scopes?: ClaimPath | ClaimReader | undefined;
  /**
   * Where this issuer keeps roles: the path of a claim (`'realm_access.roles'`, `['https://api.example.com/roles']`), or a
   * function that runs on every request. A string at the path is one role. Default: `roles`.
   */
  roles?: ClaimPath | ClaimReader | undefined;
  /** How the metadata of this issuer is kept fresh. */
  metadata?: MetadataOptions | undefined;
}

/** One issuer written inline, or several under `issuers`. */
export type ResilientAuthOptions = AuthModuleOptions &
  ((IssuerOptions & { issuers?: undefined }) | { issuers: readonly IssuerOptions[] });

/** What `useClass` and `useExisting` of `forRootAsync` implement. */
export interface ResilientAuthOptionsFactory {
  createResilientAuthOptions(): ResilientAuthOptions | Promise<ResilientAuthOptions>;
}

/** Options of the module definition itself. In `forRootAsync` they stand beside `useFactory`, never in its result. */
export interface AuthModuleExtras {
  /** Makes the providers available in every module. Default `true`. */
  isGlobal?: boolean | undefined;
  /** Protects every route that is not `@AllowAnonymous()`. Default `false`. */
  secureByDefault?: boolean | undefined;
}
