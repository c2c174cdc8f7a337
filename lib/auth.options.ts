import type { TokenCheck } from './authentication/token-check.js';
import type { AnswerExtension } from './authorized/answers/answer-extension.js';
import type { AuthContext, OtherContexts } from './authorized/contexts/auth-context.js';
import type { ClaimPath, ClaimReader } from './authentication/scopes-and-roles.js';
import type { MetadataOptions } from './metadata/metadata-options.js';
import type { Claims, TokenHeader } from './token/unverified-token.js';

/** Takes the raw token out of a request; any passport-jwt extractor fits. `null`: the request carries none. */
// oxlint-disable-next-line typescript/no-explicit-any -- passport-jwt's own signature; each extractor names its request
export type TokenExtractor = (request: any) => string | null;

/** The verified-token cache: signature checks are not repeated for a token seen before. */
export interface TokenCacheOptions {
  /** Tokens remembered, least recently used first out. Default `10_000`, at least 1. */
  max?: number | undefined;
  /**
   * Memory they may take, in bytes, estimated from their length and number of values; least recently used first out. Default `33_554_432`
   * (32 MiB, 10,000 tokens of 2.5 KiB), at least 65,536.
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
}

/** Options that concern the whole module. */
export interface AuthModuleOptions {
  /**
   * Replaces the parser of `Authorization: Bearer`. Cookies and query parameters are at your own risk (RFC 9700 §4.3);
   * the header's length is checked before your extractor sees the request.
   */
  jwtFromRequest?: TokenExtractor | undefined;
  /** Longest token looked at, in characters. Default `16_384`, at least 256. */
  tokenMaxLength?: number | undefined;
  /** `realm` of the challenges (RFC 9110 §11.5). Default none. */
  realm?: string | undefined;
  /** `false` switches the verified-token cache off. Default `{ max: 10_000, maxBytes: 33_554_432 }`. */
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
  /** Checks and answers that are added to those of the core, in this order. Default none. */
  extensions?: readonly AuthExtension[] | undefined;
}

/** What a `validate` function is told beside the claims. */
export interface ValidateContext {
  /** The issuer's `name`. */
  readonly issuer: string;
  readonly header: TokenHeader;
  /** The HTTP request, when there is one. */
  readonly request?: unknown;
}

/** One issuer whose access tokens are accepted. */
export interface IssuerOptions {
  /** What the metadata must name, character by character (RFC 8414 §3.3). May hold `{tenantid}` (Entra ID). Required. */
  issuer: string;
  /** Who tokens must be meant for: any one of these in `aud`. Required; `null` switches the check off on purpose. */
  audience: string | readonly string[] | null;
  /** How `MetadataProviders.get(name)` and `@Authorized({ issuers: [name] })` call it. Default: `issuer`. */
  name?: string | undefined;
  /** The `iss` values accepted in tokens, exactly; `{tenantid}` allowed. Default `[issuer]`. */
  tokenIssuers?: readonly string[] | undefined;
  /** With `{tenantid}`: the tenants let in, as a list or a test; `null` lets in any. Required then, refused otherwise. */
  tenants?: readonly string[] | ((tenantId: string) => boolean) | null | undefined;
  /**
   * The discovery document; a list where one issuer has several (Azure AD B2C policies): their keys are united. Default
   * `<issuer>/.well-known/openid-configuration`, RFC 8414's when that is a 404.
   */
  metadataAddress?: string | readonly string[] | undefined;
  /** The key set, or a list of key sets; when set, no discovery document is read. Default: from discovery. */
  jwksUri?: string | readonly string[] | undefined;
  /**
   * Signature algorithms let in. Default RS/PS/ES 256, 384, 512, `EdDSA` and `Ed25519`. `ML-DSA-44/65/87` can be named
   * where the runtime has them; `none` and `HS*` are refused.
   */
  algorithms?: readonly string[] | undefined;
  /**
   * `typ` header values let in, compared as media types; `null` stands for an absent `typ`.
   * Default `['at+jwt', 'JWT', null]`; `['at+jwt']` is strict RFC 9068.
   */
  tokenTypes?: readonly (string | null)[] | undefined;
  /** Claims that must be there beyond `iss`, `exp` and `aud`. Default `[]`. */
  requiredClaims?: readonly string[] | undefined;
  /** Clock skew allowed on `exp`, `nbf` and `iat`, as a string with its unit. Default `'30s'`, at most `'5m'`. */
  clockTolerance?: string | undefined;
  /** Oldest token let in, counted from `iat`, as a string with its unit. Default none. */
  maxTokenAge?: string | undefined;
  /**
   * Maps the claims to `request.user`, or refuses: a falsy result or a thrown `TokenRejectedError` is 401, any other
   * error passes through. Runs on every request; may be async. Default: the claims themselves, frozen.
   */
  validate?: ((claims: Claims, context: ValidateContext) => unknown) | undefined;
  /**
   * Where this issuer keeps scopes: a claim path such as `'permissions'` to a list or a string of words, or a function that
   * runs on every request. Default: `scope`, else `scp`.
   */
  scopes?: ClaimPath | ClaimReader | undefined;
  /**
   * Where this issuer keeps roles: a claim path such as `'realm_access.roles'` to a list or a string, which is one role, or
   * a function that runs on every request. Default: `roles`.
   */
  roles?: ClaimPath | ClaimReader | undefined;
  /** How its metadata is kept fresh. */
  metadata?: MetadataOptions | undefined;
}

/** One issuer written inline, or several under `issuers`. */
export type ResilientAuthOptions = AuthModuleOptions &
  ((IssuerOptions & { issuers?: undefined }) | { issuers: readonly IssuerOptions[] });

/** What `useClass` and `useExisting` of `forRootAsync` implement. */
export interface ResilientAuthOptionsFactory {
  createResilientAuthOptions(): ResilientAuthOptions | Promise<ResilientAuthOptions>;
}

/** What shapes the module itself; beside `useFactory`, never in its result. */
export interface AuthModuleExtras {
  /** Make the providers available everywhere. Default `true`. */
  isGlobal?: boolean | undefined;
  /** Protect every route that is not `@AllowAnonymous()`. Default `false`. */
  secureByDefault?: boolean | undefined;
}
