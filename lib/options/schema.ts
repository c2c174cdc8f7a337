import * as v from 'valibot';
import type { TokenExtractor } from '../auth.options.js';
import { edgeEntries } from './module/edge-schema.js';
import { issuerEntries } from './issuer-schema.js';
import { flag, func, integer, list } from './schema-parts.js';

/*
 * What each option may be, and its default: here and in the schemas of an issuer and of its metadata, nowhere else.
 */

const REALM = 'printable ASCII without quotes and backslashes';
const CACHE = 'false, or an object of max, at least 1, and maxBytes, at least 65536: whole numbers';
const tokenCache = v.strictObject({ max: integer(10_000, 1), maxBytes: integer(33_554_432, 65_536) });

const moduleEntries = {
  jwtFromRequest: func<TokenExtractor>('a function from request to token or null'),
  tokenMaxLength: integer(16_384, 256),
  realm: v.optional(v.pipe(v.string(REALM), v.regex(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, REALM))),
  tokenCache: v.optional(v.union([v.literal(false), tokenCache], CACHE), {}),
  ...edgeEntries,
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
