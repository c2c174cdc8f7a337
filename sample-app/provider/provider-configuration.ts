import type { Adapter, Configuration } from 'oidc-provider';
import { clients, scopes } from './clients.js';
import type { SigningKey } from './signing-key.js';

/** What a token of the embedded provider is for; the API checks it as `audience`. */
export const embeddedAudience = 'https://orders.example';

const tokenLifetime = 10 * 60;

/** An OpenID provider for machines: client credentials in, RFC 9068 JWT access tokens out, nothing else switched on. */
export function providerConfiguration(keys: readonly SigningKey[]): Configuration {
  return {
    adapter: () => nothingStored,
    jwks: { keys },
    scopes,
    responseTypes: [],
    clients: clients.map(({ id, secret }) => ({
      client_id: id,
      client_secret: secret,
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    })),
    ttl: { ClientCredentials: tokenLifetime },
    extraTokenClaims: (_context, token) => {
      const { roles = [], acr } = clients.find(({ id }) => id === token.clientId) ?? {};
      return {
        ...(roles.length > 0 && { roles: [...roles] }),
        ...(acr !== undefined && { acr, auth_time: Math.floor(Date.now() / 1000) }),
      };
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => embeddedAudience,
        getResourceServerInfo: () => ({
          audience: embeddedAudience,
          scope: scopes.join(' '),
          accessTokenFormat: 'jwt',
          accessTokenTTL: tokenLifetime,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}

// JWT access tokens carry their own state and the clients are written above: there is nothing to keep.
const nothing = async (): Promise<undefined> => undefined;
export const nothingStored: Adapter = {
  upsert: nothing,
  find: nothing,
  findByUserCode: nothing,
  findByUid: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
};
