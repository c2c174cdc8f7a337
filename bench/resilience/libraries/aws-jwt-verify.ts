import http from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { createApp, type StartService } from './library.js';
import { VerifyGuard } from './verify-guard.js';

/** The README's generic verifier; hydrated before it listens, as there, but started all the same when that fails. */
export const start: StartService = async ({ issuer, jwksUri, audience }) => {
  // It speaks https only, and loopback has no certificates.
  Object.assign(https, { request: http.request });
  syncBuiltinESMExports();
  const { JwtVerifier } = await import('aws-jwt-verify');
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri });
  await verifier.hydrate().catch(() => undefined);
  const app = await createApp();
  app.useGlobalGuards(new VerifyGuard((token) => verifier.verify(token)));
  return { app };
};
