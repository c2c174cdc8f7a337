import { hash } from 'node:crypto';
import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { JwtVerifier } from 'aws-jwt-verify';
import { auth } from 'express-oauth2-jwt-bearer';
import { createVerifier } from 'fast-jwt';
import buildGetJwks from 'get-jwks';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { passportJwtSecret } from 'jwks-rsa';
import { Authorized, AuthModule, type AuthExtension } from 'nestjs-resilient-auth';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import { ExtractJwt, Strategy } from 'passport-jwt';
import { issuerOptions } from '../resilient-auth.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';
import type { Variant } from './served.js';
import { greetingModule } from './greeting.js';
import { verifyGuard } from './verify-guard.js';

type StartVariant = (trust: Trust, cacheMax: number) => Variant | Promise<Variant>;

function unprotected(): Variant {
  return { module: greetingModule() };
}

/** A guard that verifies nothing: no guard can cost less. */
function open(): Variant {
  const guard: CanActivate = {
    canActivate: (context: ExecutionContext): boolean => {
      const request = context
        .switchToHttp()
        .getRequest<{ headers: { authorization?: string }; user?: unknown }>();
      request.user = request.headers.authorization;
      return true;
    },
  };
  return { module: greetingModule([UseGuards(guard)]) };
}

/** A guard that looks the token up by its digest and verifies nothing: no guard with a cache can cost less. */
function lookUp(): Variant {
  const seen = new Map<string, object>();
  const guard: CanActivate = {
    canActivate: (context: ExecutionContext): boolean => {
      const request = context
        .switchToHttp()
        .getRequest<{ headers: { authorization?: string }; user?: unknown }>();
      const id = hash('sha256', request.headers.authorization?.slice('Bearer '.length) ?? '', 'binary');
      const user = seen.get(id) ?? {};
      seen.set(id, user);
      request.user = user;
      return true;
    },
  };
  return { module: greetingModule([UseGuards(guard)]) };
}

function resilientAuth(extensions: readonly AuthExtension[] = []): StartVariant {
  return (trust, max) => ({
    module: greetingModule([Authorized()], {
      imports: [AuthModule.forRoot({ ...issuerOptions(trust), tokenCache: { max }, extensions })],
    }),
  });
}

/** The recipe of jwks-rsa's README for passport-jwt, as a strategy of `@nestjs/passport`. */
const recipe: StartVariant = ({ alg, issuer, jwksUri, audience }) => {
  if (alg === 'EdDSA') throw new Error('jsonwebtoken has no EdDSA');
  const algorithms = [alg];
  @Injectable()
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri,
        }),
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        issuer,
        audience,
        algorithms,
      });
    }

    validate(payload: unknown): unknown {
      return payload;
    }
  }
  return {
    module: greetingModule([UseGuards(AuthGuard('jwt'))], {
      imports: [PassportModule],
      providers: [JwtStrategy],
    }),
  };
};

const jose: StartVariant = ({ alg, issuer, jwksUri, audience }) => {
  const keySet = createRemoteJWKSet(new URL(jwksUri));
  const options = { issuer, audience, algorithms: [alg] };
  const guard = verifyGuard(async (token) => (await jwtVerify(token, keySet, options)).payload);
  return { module: greetingModule([UseGuards(guard)]) };
};

/** It fetches by https only, so the key set is handed over, by the method it has for that. */
const awsJwtVerify: StartVariant = async ({ issuer, jwksUri, audience }) => {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri });
  const keySet: Parameters<typeof verifier.cacheJwks>[0] = JSON.parse(await (await fetch(jwksUri)).text());
  verifier.cacheJwks(keySet);
  return { module: greetingModule([UseGuards(verifyGuard((token) => verifier.verify(token)))]) };
};

/** The integration of get-jwks's README. */
const fastJwt: StartVariant = ({ alg, issuer, audience }, cache) => {
  const keys = buildGetJwks({ issuersWhitelist: [issuer], providerDiscovery: true });
  const verify = createVerifier({
    key: async ({ header: { kid } }: { header: Record<string, unknown> }) =>
      keys.getPublicKey({ kid: String(kid), alg, domain: issuer }),
    algorithms: [alg],
    allowedIss: issuer,
    allowedAud: audience,
    cache,
  });
  return { module: greetingModule([UseGuards(verifyGuard(async (token) => verify(token)))]) };
};

const expressOauth2JwtBearer: StartVariant = ({ issuer, audience }) => ({
  module: greetingModule(),
  middleware: auth({ issuerBaseURL: issuer, audience }),
});

export const UNPROTECTED = 'unprotected';
export const OPEN = 'a guard that verifies nothing';
export const LOOK_UP = 'a guard that only looks the token up';
export const OURS_KNOWN = 'nestjs-resilient-auth, known token';
export const OURS_OBSERVED = `${OURS_KNOWN}, with openTelemetry()`;
export const OURS_NEW = 'nestjs-resilient-auth, new token';
export const RECIPE = 'passport-jwt + jwks-rsa (the recipe)';

/** How one variant is started, and what it is sent. */
export interface Entry {
  readonly name: string;
  /** In the picture, where there is less room. */
  readonly label?: string;
  readonly isOurs?: boolean;
  readonly start: StartVariant;
  readonly tokens: 'known' | 'new';
  readonly platforms: readonly Platform[];
}

const PLATFORMS: readonly Platform[] = ['fastify', 'express'];

/** Libraries without a cache get tokens that never repeat; it makes no difference to them. */
export const ENTRIES: readonly Entry[] = [
  { name: UNPROTECTED, start: unprotected, tokens: 'known', platforms: PLATFORMS },
  { name: OPEN, start: open, tokens: 'known', platforms: PLATFORMS },
  { name: LOOK_UP, start: lookUp, tokens: 'known', platforms: PLATFORMS },
  {
    name: OURS_KNOWN,
    label: 'this library, known token',
    isOurs: true,
    start: resilientAuth(),
    tokens: 'known',
    platforms: PLATFORMS,
  },
  { name: 'fast-jwt with cache, known token', start: fastJwt, tokens: 'known', platforms: PLATFORMS },
  {
    name: OURS_NEW,
    label: 'this library, new token',
    isOurs: true,
    start: resilientAuth(),
    tokens: 'new',
    platforms: PLATFORMS,
  },
  { name: 'fast-jwt with cache, new token', start: fastJwt, tokens: 'new', platforms: PLATFORMS },
  { name: 'jose', start: jose, tokens: 'new', platforms: PLATFORMS },
  { name: 'aws-jwt-verify', start: awsJwtVerify, tokens: 'new', platforms: PLATFORMS },
  { name: 'express-oauth2-jwt-bearer', start: expressOauth2JwtBearer, tokens: 'new', platforms: ['express'] },
  { name: RECIPE, label: 'passport-jwt + jwks-rsa', start: recipe, tokens: 'new', platforms: PLATFORMS },
];

/** What differs by so little that it is measured without a network. No SDK of OpenTelemetry is there. */
export const INJECTED: readonly Pick<Entry, 'name' | 'start'>[] = [
  { name: OPEN, start: open },
  { name: LOOK_UP, start: lookUp },
  { name: OURS_KNOWN, start: resilientAuth() },
  { name: OURS_OBSERVED, start: resilientAuth([openTelemetry()]) },
];
