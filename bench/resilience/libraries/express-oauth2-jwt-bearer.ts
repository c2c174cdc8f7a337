import type { NextFunction, Request, Response } from 'express';
import { auth, UnauthorizedError } from 'express-oauth2-jwt-bearer';
import { createApp, type StartService } from './library.js';

/** The README's middleware. */
export const start: StartService = async ({ issuer, audience }) => {
  const app = await createApp();
  app.use(auth({ issuerBaseURL: issuer, audience }));
  app.use(answerAsExpressDoes);
  return { app };
};

/** It counts on Express's own error handler to answer with the error's status; Nest's would make it a 500. */
function answerAsExpressDoes(error: unknown, _: Request, response: Response, next: NextFunction): void {
  if (error instanceof UnauthorizedError) response.set(error.headers).status(error.status).end();
  else next(error);
}
