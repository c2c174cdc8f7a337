import type { Requirements } from '../authorized/requirements/requirements.js';
import type { ResolvedAuthOptions, ResolvedIssuer } from '../options/resolved-options.js';
import type { SecurityRequirement, SecurityScheme } from './open-api.js';

/** How a client gets a token of one issuer; `undefined` where it publishes no discovery document. */
interface IssuerScheme {
  readonly id: string | undefined;
  readonly issuer: string;
}

/** A token that a client has already, whichever issuer it is of: the one that Swagger UI has a field for. */
const TOKEN = 'accessToken';
/** A token that is bound to a key of the client, and comes with a proof (RFC 9449). */
const PROVEN_TOKEN = 'dpop';
/** The certificate of the connection, which a token is bound to (RFC 8705). */
const CERTIFICATE = 'clientCertificate';
/** Alternatives of `anyScope` lists are multiplied out up to this number. */
const MAX_ALTERNATIVES = 16;

/** The security schemes of an application, and what its operations require of them. */
export class SecuritySchemes {
  /** By the name under which they stand in the document. */
  readonly schemes: ReadonlyMap<string, SecurityScheme>;
  readonly #issuers: readonly IssuerScheme[];
  readonly #hasProofs: boolean;
  readonly #hasCertificates: boolean;

  /** @param version of OpenAPI: 3.1 was the first with a scheme for client certificates */
  constructor(
    { issuers, dpop, mtls }: Pick<ResolvedAuthOptions, 'issuers' | 'dpop' | 'mtls'>,
    version: string,
  ) {
    this.#hasProofs = dpop !== undefined;
    this.#hasCertificates = mtls !== undefined && !version.startsWith('3.0');
    const schemes = new Map<string, SecurityScheme>([
      [TOKEN, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token' }],
    ]);
    if (this.#hasProofs)
      schemes.set(PROVEN_TOKEN, {
        type: 'http',
        scheme: 'DPoP',
        description:
          'An access token bound to a key, with a proof of possession in the header DPoP (RFC 9449)',
      });
    if (this.#hasCertificates)
      schemes.set(CERTIFICATE, {
        type: 'mutualTLS',
        description: 'The client certificate that the access token is bound to (RFC 8705)',
      });
    this.#issuers = issuers.map((issuer) => {
      const openIdConnectUrl = discoveryOf(issuer);
      if (openIdConnectUrl === undefined) return { id: undefined, issuer: issuer.name };
      const id = distinct(issuers.length === 1 ? 'openid' : identifierOf(issuer.name), schemes);
      schemes.set(id, { type: 'openIdConnect', openIdConnectUrl, description: `Tokens of ${issuer.issuer}` });
      return { id, issuer: issuer.name };
    });
    this.schemes = schemes;
  }

  /** Alternatives, one of which suffices; each with the client certificate where the token must be bound to one. */
  requirementsOf(requirements: Requirements): SecurityRequirement[] {
    const needsCertificate = this.#hasCertificates && isRequired(requirements, 'certificateBound');
    const certificate: SecurityRequirement = needsCertificate ? { [CERTIFICATE]: [] } : {};
    return [
      ...this.#tokensFor(requirements).map((token) => ({ ...token, ...certificate })),
      ...(requirements.isOptional ? [{}] : []),
    ];
  }

  /**
   * A token of an accepted issuer with the scopes, or any that a client has. Where a proof is required, `openIdConnect` is
   * left out: it stands for a bearer token.
   */
  #tokensFor(requirements: Requirements): SecurityRequirement[] {
    if (isRequired(requirements, 'dpop')) return [{ [PROVEN_TOKEN]: [] }];
    const accepted = this.#issuers.filter(({ issuer }) =>
      listsOf(requirements, 'issuers').every((names) => names.includes(issuer)),
    );
    const ofIssuers = accepted.flatMap(({ id }) =>
      id === undefined ? [] : alternativesOf(requirements).map((scopes) => ({ [id]: [...scopes] })),
    );
    return [...ofIssuers, { [TOKEN]: [] }, ...(this.#hasProofs ? [{ [PROVEN_TOKEN]: [] }] : [])];
  }
}

function isRequired({ checks }: Requirements, option: string): boolean {
  return checks.some(({ name }) => name === option);
}

/** Every way to have the scopes: all those required, and one of each list of which any suffices. */
function alternativesOf(requirements: Requirements): readonly (readonly string[])[] {
  const alternatives = listsOf(requirements, 'anyScope').reduce<readonly (readonly string[])[]>(
    (before, scopes) => before.flatMap((known) => scopes.map((scope) => [...new Set([...known, scope])])),
    [requirements.scopes],
  );
  return alternatives.length > MAX_ALTERNATIVES ? [requirements.scopes] : alternatives;
}

/** What an option of `@Authorized` that takes lists requires, each list by itself. */
function listsOf({ checks }: Requirements, option: string): readonly (readonly string[])[] {
  return checks.flatMap(({ name, required }) => (name === option && isTextList(required) ? [required] : []));
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/**
 * The address for clients: the configured one where it is of the issuer's origin, else the well-known one. An inner address of
 * the issuer is not published.
 */
function discoveryOf({ issuer, metadata }: ResolvedIssuer): string | undefined {
  const { metadataAddresses, jwksUri, sources } = metadata;
  const [configured] = sources[0]?.metadataAddresses ?? metadataAddresses;
  if (jwksUri !== undefined || configured === undefined || !URL.canParse(issuer)) return undefined;
  if (new URL(configured).origin === new URL(issuer).origin) return configured;
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** OpenAPI allows letters, digits, dots, hyphens and underscores in the names of components. */
function identifierOf(name: string): string {
  return name.replace(/^https?:\/\//, '').replace(/[^A-Za-z0-9._-]+/g, '-');
}

function distinct(id: string, known: ReadonlyMap<string, unknown>): string {
  let candidate = id;
  for (let i = 2; known.has(candidate); i++) candidate = `${id}-${i}`;
  return candidate;
}
