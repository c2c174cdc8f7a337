import * as v from 'valibot';
import type { ValidateContext } from '../auth.options.js';
import type { ClaimReader } from '../authentication/scopes-and-roles.js';
import { isTenantId } from '../token/trusted-issuer.js';
import type { Claims } from '../token/unverified-token.js';
import { metadataSchema } from './metadata-schema.js';
import { algorithms, flag, func, list, oneOrMore, text, timespan } from './schema-parts.js';

const AUDIENCE = 'a string, a list of at least one string, or null to switch the check off on purpose';
const TENANTS =
  'a list of tenant ids, a function of the tenant id, or null to accept any tenant; a tenant id is a GUID';
const CLAIMS =
  'a list of claim names, or an object of claim names with true or a list of at least one accepted value';
const TYPES = 'a list of media types, null in it standing for an absent typ';

/** `IssuerOptions`: what each option may be, and its default. */
export const issuerEntries = {
  issuer: text('the https URL that the metadata names as issuer'),
  audience: v.union([text(AUDIENCE), list(text(AUDIENCE), AUDIENCE), v.null()], AUDIENCE),
  name: v.optional(text('a name')),
  tokenIssuers: v.optional(list(text('a string'), 'a list of at least one iss value')),
  tenants: v.optional(
    v.union(
      [
        list(v.custom<string>(isTenantId, TENANTS), TENANTS),
        v.custom<(id: string) => boolean>((value) => typeof value === 'function'),
        v.null(),
      ],
      TENANTS,
    ),
  ),
  metadataAddress: v.optional(oneOrMore('the URL of the discovery document, or a list of URLs')),
  jwksUri: v.optional(oneOrMore('the URL of the key set, or a list of URLs')),
  algorithms: v.optional(algorithms),
  tokenTypes: v.optional(list(v.nullable(text(TYPES)), TYPES), ['at+jwt', 'JWT', null]),
  requiredClaims: v.optional(
    v.union(
      [
        v.array(text(CLAIMS), CLAIMS),
        v.record(text(CLAIMS), v.union([v.literal(true), list(text(CLAIMS), CLAIMS)], CLAIMS), CLAIMS),
      ],
      CLAIMS,
    ),
    [],
  ),
  clockTolerance: v.optional(timespan('0s', '5m'), '30s'),
  maxTokenAge: v.optional(timespan('1s')),
  acceptIdTokens: flag(false),
  senderConstraint: v.optional(v.picklist(['accept', 'require'], `'accept' or 'require'`), 'accept'),
  validate: func<(claims: Claims, context: ValidateContext) => unknown>(),
  scopes: v.optional(claimSource()),
  roles: v.optional(claimSource()),
  metadata: v.optional(metadataSchema, {}),
};

function claimSource() {
  const allowed =
    "a function of claims and user that returns a list of strings, or a claim path such as 'realm_access.roles'; " +
    "names that hold a dot stand in a list: ['https://api.example.com/roles']";
  return v.union(
    [
      v.custom<ClaimReader>((value) => typeof value === 'function', allowed),
      v.pipe(v.string(allowed), v.check(isClaimPath, allowed)),
      list(text(allowed), allowed),
    ],
    allowed,
  );
}

function isClaimPath(path: string): boolean {
  return !path.includes('://') && path.split('.').every(Boolean);
}
