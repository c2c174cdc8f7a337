import * as v from 'valibot';
import type { AuthModuleOptions, TokenExtractor } from '../auth.options.js';
import { issuerEntries } from './issuer-schema.js';
import { flag, func, integer, list } from './schema-parts.js';

/*
 * What each option may be, and its default: here and in the schemas of an issuer and of its metadata, nowhere else.
 */

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

/** Options of the module definition itself. */
export const extrasSchema = v.strictObject({ isGlobal: flag(true), secureByDefault: flag(false) });
