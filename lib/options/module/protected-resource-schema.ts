import * as v from 'valibot';
import { isPublicUrl, PUBLIC_URL } from '../../authentication/http/public-url.js';
import { isScope } from '../../authentication/scopes-and-roles.js';
import type { ResolvedProtectedResource } from '../../features/protected-resource-options.js';
import { flag, list, text, timespan } from '../schema-parts.js';

const address = v.pipe(v.string(PUBLIC_URL), v.check(isPublicUrl, PUBLIC_URL));
const PAGE = 'an https or http URL';
const page = v.pipe(v.string(PAGE), v.check(isPage, PAGE));
const SCOPES = 'a list of scopes: one per string, without spaces, quotes and backslashes';
const scope = v.custom<string>(isScope, SCOPES);

const members = v.strictObject({
  resource: v.optional(address),
  name: v.optional(text('a text')),
  documentation: v.optional(page),
  policy: v.optional(page),
  termsOfService: v.optional(page),
  scopesSupported: v.optional(v.array(scope, SCOPES)),
  authorizationServers: v.optional(list(address, 'a list of at least one issuer')),
  maxAge: v.optional(timespan('0s', '1d'), '1h'),
  mcp: flag(false),
});

/** `true` takes every default. */
export const protectedResourceSchema = v.pipe(
  v.custom<object | true>(
    (value) => value === true || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    'true, or an object of what clients read about this API',
  ),
  v.transform((value) => (value === true ? {} : value)),
  members,
  v.transform(({ maxAge, ...rest }): ResolvedProtectedResource =>
    Object.freeze({ ...rest, maxAge: Math.floor(maxAge / 1000) }),
  ),
);

function isPage(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
