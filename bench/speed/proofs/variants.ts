import { auth } from 'express-oauth2-jwt-bearer';
import { Authorized, AuthModule } from 'nestjs-resilient-auth';
import { MemoryReplayStore } from 'nestjs-resilient-auth/sender-constrained';
import { greetingModule } from '../nest/greeting.js';
import type { Variant } from '../nest/served.js';
import { issuerOptions } from '../resilient-auth.js';
import type { Platform } from '../settings.js';
import type { Trust } from '../tokens/issuer-process.js';

/** The API as the proofs name it; requests carry this as `Host`, for libraries that read the address off them. */
export const PUBLIC_HOST = 'localhost';
export const PUBLIC_URL = `http://${PUBLIC_HOST}/`;

export const BEARER = 'nestjs-resilient-auth, known token as Bearer';

/** One way to protect the route, and what it is sent. */
export interface ProofEntry {
  readonly name: string;
  readonly platforms: readonly Platform[];
  /** Whether each request carries a proof of its own. */
  readonly isProven: boolean;
  readonly start: (trust: Trust) => Variant;
}

const PLATFORMS: readonly Platform[] = ['fastify', 'express'];

/** More than one client sends in a run: the bounds of one are not what is measured. */
const replay = { max: 10_000_000, maxPerKey: 10_000_000 };

const ours = (trust: Trust) => ({
  module: greetingModule([Authorized()], {
    imports: [
      AuthModule.forRoot({
        ...issuerOptions(trust),
        publicUrl: PUBLIC_URL,
        dpop: { replay: new MemoryReplayStore(replay) },
      }),
    ],
  }),
});

const theirs = ({ issuer, audience }: Trust) => ({
  module: greetingModule(),
  middleware: auth({ issuerBaseURL: issuer, audience }),
});

export const PROOF_ENTRIES: readonly ProofEntry[] = [
  { name: BEARER, platforms: PLATFORMS, isProven: false, start: ours },
  {
    name: 'nestjs-resilient-auth, known token with a proof (DPoP)',
    platforms: PLATFORMS,
    isProven: true,
    start: ours,
  },
  { name: 'express-oauth2-jwt-bearer as Bearer', platforms: ['express'], isProven: false, start: theirs },
  {
    name: 'express-oauth2-jwt-bearer with a proof (DPoP), replays not checked',
    platforms: ['express'],
    isProven: true,
    start: theirs,
  },
];
