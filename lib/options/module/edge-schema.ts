import * as v from 'valibot';
import type { AuthModuleOptions } from '../../auth.options.js';
import { isPublicUrl, PUBLIC_URL } from '../../authentication/http/public-url.js';
import { isScope } from '../../authentication/scopes-and-roles.js';
import { mtlsSchema } from './mtls-schema.js';
import { dpopSchema } from './dpop-schema.js';
import { protectedResourceSchema } from './protected-resource-schema.js';
import { cycleIn } from './scope-implications.js';

/*
 * Module options about contexts, answers and the API's own address.
 */

type Given<Name extends keyof AuthModuleOptions> = NonNullable<AuthModuleOptions[Name]>;

const contexts = v.custom<Given<'contexts'>>(
  (value) => Array.isArray(value) && value.every(isContext) && isDistinct(value.map(({ type }) => type)),
  'a list of contexts, one per type: graphqlContext(), an instance of AuthContext; HTTP is always on',
);

const extensions = v.custom<Given<'extensions'>>(
  (value) => Array.isArray(value) && value.every(isExtension),
  'a list of objects with a name, and any of tokenCheck, answer, observer and the hooks of a boot',
);

const publicUrl = v.custom<Given<'publicUrl'>>(
  (value) => typeof value === 'function' || (typeof value === 'string' && isPublicUrl(value)),
  `${PUBLIC_URL}, or a function from request to URL`,
);

const SCOPES = 'an object from a scope to a list of at least one scope, without cycles';
const scopeImplies = v.custom<Given<'scopeImplies'>>(
  (value) => isImplication(value) && cycleIn(value) === undefined,
  SCOPES,
);

/** To be spread among the module options. */
export const edgeEntries = {
  contexts: v.optional(contexts, () => []),
  otherContexts: v.optional(v.picklist(['refuse', 'ignore'], `'refuse' or 'ignore'`), 'refuse'),
  extensions: v.optional(extensions, () => []),
  publicUrl: v.optional(publicUrl),
  scopeImplies: v.optional(scopeImplies, () => ({})),
  mtls: v.optional(mtlsSchema),
  dpop: v.optional(dpopSchema),
  protectedResource: v.optional(protectedResourceSchema),
};

function isContext(value: unknown): value is { type: string } {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  const isPort = 'operationOf' in value && 'credentialsOf' in value && 'toException' in value;
  return isPort && typeof value.type === 'string' && value.type !== 'http';
}

function isDistinct(types: readonly string[]): boolean {
  return new Set(types).size === types.length;
}

function isExtension(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('name' in value)) return false;
  const { tokenCheck, answer, observer, accepted }: Record<string, unknown> = { ...value };
  const isCheck = typeof tokenCheck === 'object' && tokenCheck !== null && 'check' in tokenCheck;
  const isObserver = typeof observer === 'object' && observer !== null;
  return (
    (isCheck || tokenCheck === undefined) &&
    [answer, accepted].every(isFunctionOrAbsent) &&
    (isObserver || observer === undefined)
  );
}

function isFunctionOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'function';
}

function isImplication(value: unknown): value is Given<'scopeImplies'> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(
    ([scope, implied]) =>
      isScope(scope) && Array.isArray(implied) && implied.length > 0 && implied.every(isScope),
  );
}
