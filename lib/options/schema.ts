import * as v from 'valibot';
import type { AuthModuleOptions, TokenExtractor, ValidateContext } from '../auth.options.js';
import { ALGORITHMS } from '../keys/algorithms.js';
import { parseDuration } from '../time/duration.js';
import type { MetadataFetch } from '../metadata/metadata-options.js';
import type { MetadataStore } from '../metadata/store/metadata-store.js';
import type { Claims } from '../token/unverified-token.js';
import type { ClaimReader } from '../authentication/scopes-and-roles.js';

/*
 * What each option may be, and its default: here and nowhere else. A message ends the sentence "allowed: …".
 */

const ALGORITHM_NAMES = ALGORITHMS.map(({ name }) => name);

const text = (allowed: string) => v.pipe(v.string(allowed), v.nonEmpty(allowed));
const list = <T extends v.GenericSchema>(item: T, allowed: string) =>
  v.pipe(v.array(item, allowed), v.nonEmpty(allowed), v.readonly());
const func = <T>(allowed = 'a function') =>
  v.optional(v.custom<T>((value) => typeof value === 'function', allowed));
const flag = (byDefault: boolean) => v.optional(v.boolean('true or false'), byDefault);

function integer(byDefault: number, least: number, most = Number.MAX_SAFE_INTEGER) {
  const allowed = `a whole number, ${bounds(least, most === Number.MAX_SAFE_INTEGER ? undefined : most)}`;
  const check = (value: unknown): boolean =>
    Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most;
  return v.optional(v.custom<number>(check, allowed), byDefault);
}

const durationOf = (value: unknown): number | undefined =>
  typeof value === 'number' ? value : parseDuration(value);

function duration(byDefault: string, least: string, most?: string) {
  return v.optional(
    timespan(durationOf, `milliseconds or a string with its unit, ${bounds(least, most)}`, least, most),
    byDefault,
  );
}

function timespan(
  parse: (value: unknown) => number | undefined,
  allowed: string,
  least: string,
  most?: string,
) {
  const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? Number.MAX_SAFE_INTEGER];
  return v.pipe(
    v.custom<number | string>((value) => {
      const given = parse(value);
      return given !== undefined && given >= min && given <= max;
    }, allowed),
    v.transform((value) => parse(value) ?? 0),
  );
}

function bounds(least: number | string, most?: number | string): string {
  return most === undefined ? `at least ${least}` : `from ${least} to ${most}`;
}

const metadataOptions = v.strictObject({
  automaticRefreshInterval: duration('10m', '1s', '24h'),
  refreshInterval: duration('5s', '1s', '1h'),
  refreshBurst: integer(5, 1, 100),
  refreshWait: duration('10s', '0s', '60s'),
  maxWaiting: integer(10_000, 1),
  timeout: duration('5s', '100ms', '30s'),
  lastKnownGoodLifetime: duration('24h', '0s'),
  refreshOnKeyNotFound: flag(true),
  startup: v.optional(v.picklist(['wait', 'require', 'lazy'], `'wait', 'require' or 'lazy'`), 'wait'),
  requireHttps: flag(true),
  maxResponseSize: integer(524_288, 1024),
  fetch: func<MetadataFetch>('a function like fetch'),
  store: v.optional(v.custom<MetadataStore>(isStore, 'a MetadataStore: an object with load and save')),
});

function isStore(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return (
    'load' in value && typeof value.load === 'function' && 'save' in value && typeof value.save === 'function'
  );
}

const AUDIENCE = 'a string, a list of at least one string, or null to switch the check off on purpose';
const TENANTS = 'a list of tenant ids, a function of the tenant id, or null to accept any tenant';
const TYPES = 'a list of media types, null in it standing for an absent typ';
const TIMESPAN = 'a string with its unit';

function addresses(allowed: string) {
  return v.union([text(allowed), list(text(allowed), allowed)], allowed);
}

const issuerEntries = {
  issuer: text('the https URL that the metadata names as issuer'),
  audience: v.union([text(AUDIENCE), list(text(AUDIENCE), AUDIENCE), v.null()], AUDIENCE),
  name: v.optional(text('a name')),
  tokenIssuers: v.optional(list(text('a string'), 'a list of at least one iss value')),
  tenants: v.optional(
    v.union(
      [
        list(text(TENANTS), TENANTS),
        v.custom<(id: string) => boolean>((value) => typeof value === 'function'),
        v.null(),
      ],
      TENANTS,
    ),
  ),
  metadataAddress: v.optional(addresses('the URL of the discovery document, or a list of URLs')),
  jwksUri: v.optional(addresses('the URL of the key set, or a list of URLs')),
  algorithms: v.optional(
    list(
      v.picklist(ALGORITHM_NAMES, `one of ${ALGORITHM_NAMES.join(', ')}; never none or HS*`),
      'a list of at least one algorithm',
    ),
  ),
  tokenTypes: v.optional(list(v.nullable(text(TYPES)), TYPES), ['at+jwt', 'JWT', null]),
  requiredClaims: v.optional(v.array(text('the name of a claim'), 'a list of claim names'), []),
  clockTolerance: v.optional(timespan(parseDuration, `${TIMESPAN}, from 0s to 5m`, '0s', '5m'), '30s'),
  maxTokenAge: v.optional(timespan(parseDuration, `${TIMESPAN}, at least 1s`, '1s')),
  validate: func<(claims: Claims, context: ValidateContext) => unknown>(),
  scopes: v.optional(claimSource()),
  roles: v.optional(claimSource()),
  metadata: v.optional(metadataOptions, {}),
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

function isClaimPath(text: string): boolean {
  return !text.includes('://') && text.split('.').every(Boolean);
}

const REALM = 'printable ASCII without quotes and backslashes';
const CACHE = 'false, or an object of max, at least 1, and maxBytes, at least 65536: whole numbers';
const tokenCache = v.strictObject({ max: integer(10_000, 1), maxBytes: integer(33_554_432, 65_536) });

const CONTEXTS =
  'a list of contexts, one per type: graphqlContext(), an instance of AuthContext; HTTP is always on';
const contexts = v.custom<NonNullable<AuthModuleOptions['contexts']>>(
  (value) => Array.isArray(value) && value.every(isContext) && isDistinct(value.map(({ type }) => type)),
  CONTEXTS,
);
const isDistinct = (types: readonly string[]): boolean => new Set(types).size === types.length;

function isContext(value: unknown): value is { type: string } {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const isPort = 'operationOf' in value && 'credentialsOf' in value && 'toException' in value;
  return isPort && typeof value.type === 'string' && value.type !== 'http';
}

const EXTENSIONS = 'a list of objects with a name and a tokenCheck, an answer or both';
const extensions = v.custom<NonNullable<AuthModuleOptions['extensions']>>(
  (value) => Array.isArray(value) && value.every(isExtension),
  EXTENSIONS,
);

function isExtension(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false;
  const { tokenCheck, answer }: { name: unknown; tokenCheck?: unknown; answer?: unknown } = value;
  const isCheck = typeof tokenCheck === 'object' && tokenCheck !== null && 'check' in tokenCheck;
  return (isCheck || tokenCheck === undefined) && (typeof answer === 'function' || answer === undefined);
}

const moduleEntries = {
  jwtFromRequest: func<TokenExtractor>('a function from request to token or null'),
  tokenMaxLength: integer(16_384, 256),
  realm: v.optional(v.pipe(v.string(REALM), v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, REALM))),
  tokenCache: v.optional(v.union([v.literal(false), tokenCache], CACHE), {}),
  contexts: v.optional(contexts, () => []),
  otherContexts: v.optional(v.picklist(['refuse', 'ignore'], `'refuse' or 'ignore'`), 'refuse'),
  extensions: v.optional(extensions, () => []),
};

/** Module options beside one issuer written inline. */
export const inlineOptionsSchema = v.strictObject({
  ...moduleEntries,
  ...issuerEntries,
  issuers: v.optional(v.never()),
});

/** Module options beside a list of issuers. */
export const listedOptionsSchema = v.strictObject({
  ...moduleEntries,
  issuers: list(v.strictObject(issuerEntries), 'a list of at least one issuer'),
});

/** One issuer, checked field by field. */
export type CheckedIssuer = v.InferOutput<typeof listedOptionsSchema>['issuers'][number];

/** Module options, checked field by field. */
export type CheckedModuleOptions = Omit<v.InferOutput<typeof listedOptionsSchema>, 'issuers'>;

/** What shapes the module itself. */
export const extrasSchema = v.strictObject({ isGlobal: flag(true), secureByDefault: flag(false) });
