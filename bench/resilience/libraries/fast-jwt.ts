import { createVerifier, type DecodedJwt } from 'fast-jwt';
import buildGetJwks from 'get-jwks';
import { createApp, type StartService } from './library.js';
import { VerifyGuard } from './verify-guard.js';

/** The integration example of get-jwks's README; `providerDiscovery`, because the key set is not at its default path. */
export const start: StartService = async ({ issuer, audience }) => {
  const keys = buildGetJwks({ issuersWhitelist: [issuer], providerDiscovery: true });
  const verify = createVerifier({
    key: async ({ header }: DecodedJwt): Promise<string> =>
      keys.getPublicKey({ kid: header['kid'], alg: header['alg'], domain: issuer }),
    allowedIss: issuer,
    allowedAud: audience,
  });
  const app = await createApp();
  app.useGlobalGuards(new VerifyGuard(async (token) => verify(token)));
  return { app };
};
