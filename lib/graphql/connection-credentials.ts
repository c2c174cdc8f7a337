import type { GraphqlConnection } from './operation-source.js';
import { asBearer, authorizationAmong } from '../authentication/bearer-token.js';
import { HttpCredentials } from '../authentication/http-credentials.js';

/**
 * The credentials of an operation over a WebSocket: from `connectionParams`, where the scheme may be left out, and from
 * the upgrade request.
 */
export function connectionAuthorization(connection: GraphqlConnection, names: readonly string[]): unknown {
  const { parameters, upgrade } = connection;
  return authorizationAmong([
    ...parameterValues(parameters, names).map(asBearer),
    upgrade && new HttpCredentials(upgradeHeaders(upgrade)).authorization,
  ]);
}

/** By `connectionParams`: a client that sends a million members must not have them searched with each of its operations. */
const known = new WeakMap<object, Map<string, readonly unknown[]>>();

function parameterValues(parameters: unknown, names: readonly string[]): readonly unknown[] {
  if (typeof parameters !== 'object' || parameters === null) return [];
  const byNames = known.get(parameters) ?? new Map<string, readonly unknown[]>();
  const key = names.join('\n');
  const found = byNames.get(key);
  if (found) return found;
  const values = [
    memberOf(parameters, 'authorization'),
    memberOf(memberOf(parameters, 'headers'), 'authorization'),
    ...names.map((name) => memberOf(parameters, name)),
  ];
  known.set(parameters, byNames.set(key, values));
  return values;
}

/** Mercurius copies members of `connection_init` into `headers`: only what came with the upgrade counts as sent. */
function upgradeHeaders(upgrade: NonNullable<GraphqlConnection['upgrade']>): {
  readonly rawHeaders: readonly string[];
  readonly headers: { readonly authorization?: string };
} {
  const rawHeaders = upgrade.rawHeaders ?? upgrade.raw?.rawHeaders ?? [];
  const index = rawHeaders.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === 'authorization');
  const authorization = index < 0 ? undefined : rawHeaders[index + 1];
  return { rawHeaders, headers: authorization === undefined ? {} : { authorization } };
}

/** Names without regard to case, as headers have them; own members only. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = Object.entries(value).filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return found.length > 1 ? found.map(([, member]: [string, unknown]) => member) : found[0]?.[1];
}
