import type { IssuerOptions } from 'nestjs-resilient-auth';

export interface Settings {
  readonly port: number;
  readonly providerPort: number;
  /** Where message handlers listen; 0 for a free port. */
  readonly messagePort: number;
  /** An issuer of the user's own; without one the embedded provider is started. */
  readonly issuer: IssuerOptions | undefined;
  /** Where replicas share the issuer's metadata; without it each replica fetches its own. */
  readonly sharedStore: SharedStoreSettings | undefined;
}

export interface SharedStoreSettings {
  readonly redisUrl: string;
  readonly integrityKey: string;
}

/** The environment variables contradict each other; the message says what to change. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  refuseProduction(env);
  return {
    port: readPort('PORT', env['PORT'], 3000),
    providerPort: readPort('PROVIDER_PORT', env['PROVIDER_PORT'], 4000),
    // Several replicas on one machine must not compete for it.
    messagePort: readPort('MESSAGE_PORT', env['MESSAGE_PORT'], 0),
    issuer: readIssuer(env['ISSUER'], env['AUDIENCE']),
    sharedStore: readSharedStore(env['REDIS_URL'], env['INTEGRITY_KEY']),
  };
}

/** Options of the sample for one issuer: its metadata is loaded before the API serves, and https is required except on loopback. */
export function trust(issuer: string, audience: string): IssuerOptions {
  return { issuer, audience, metadata: { startup: 'require', requireHttps: !isOnLoopback(issuer) } };
}

/** The embedded provider has known secrets and can be broken by any program of this machine. */
function refuseProduction(env: NodeJS.ProcessEnv): void {
  if (env['NODE_ENV'] !== 'production' || env['ISSUER']) return;
  throw new SettingsError(
    'NODE_ENV is "production", and the embedded provider with its playground is for development only. ' +
      'Unset NODE_ENV, or set ISSUER and AUDIENCE to use an issuer of yours without the playground.',
  );
}

function readIssuer(issuer: string | undefined, audience: string | undefined): IssuerOptions | undefined {
  if (issuer && audience) {
    return trust(issuer, audience);
  }
  if (issuer) {
    throw new SettingsError(
      'ISSUER is set and AUDIENCE is not. AUDIENCE is what the issuer writes into "aud" of tokens for this API; ' +
        'without it the API would take tokens meant for others.',
    );
  }
  if (audience) {
    throw new SettingsError(
      'AUDIENCE is set and ISSUER is not. Set both to use an issuer of yours, or none for the embedded provider.',
    );
  }
  return undefined;
}

function readSharedStore(
  redisUrl: string | undefined,
  integrityKey: string | undefined,
): SharedStoreSettings | undefined {
  if (!redisUrl) return undefined;
  if (integrityKey) return { redisUrl, integrityKey };
  throw new SettingsError(
    'REDIS_URL is set and INTEGRITY_KEY is not. It is the secret that all replicas share; without it, any client of ' +
      'Redis could add a signing key. Make one with: node -p "crypto.randomBytes(32).toString(\'base64\')"',
  );
}

function readPort(name: string, text: string | undefined, otherwise: number): number {
  const port = text ? Number(text) : otherwise;
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) {
    return port;
  }
  throw new SettingsError(`${name} is "${text}"; it must be a port number, 0 to 65535.`);
}

function isOnLoopback(issuer: string): boolean {
  return URL.canParse(issuer) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(issuer).hostname);
}
