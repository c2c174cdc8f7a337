import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createApp, type StartService } from './library.js';
import { VerifyGuard } from './verify-guard.js';

/** The usage of jose's documentation of `createRemoteJWKSet`. */
export const start: StartService = async ({ issuer, jwksUri, audience }) => {
  const keySet = createRemoteJWKSet(new URL(jwksUri));
  const app = await createApp();
  app.useGlobalGuards(new VerifyGuard((token) => jwtVerify(token, keySet, { issuer, audience })));
  return { app };
};
