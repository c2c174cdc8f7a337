import { ALGORITHMS, type Algorithm } from './tokens/algorithms.js';

/** The size of a run. */
export interface Settings {
  readonly isQuick: boolean;
  /** Of our cache and of fast-jwt's, wherever "every token new" is measured; the full run keeps our default. */
  readonly cacheMax: number;
  /** Tokens in rotation where each must be new: more than a cache of `cacheMax` holds. */
  readonly newTokens: number;
  /** Tokens in rotation where every one is known. */
  readonly knownTokens: number;
  readonly inProcess: {
    readonly algorithms: readonly Algorithm[];
    readonly rounds: number;
    readonly batch: number;
  };
  readonly nest: {
    readonly pairs: readonly Pair[];
    readonly rounds: number;
    readonly seconds: number;
    readonly warmUp: number;
  };
  /** Slices of 40 calls per variant in each round. */
  readonly injected: { readonly rounds: number; readonly slices: number };
  /** Operations per round are a multiple of the 32 clients. */
  readonly contexts: { readonly rounds: number; readonly operations: number };
  /** Requests per round, each with a proof of its own; a multiple of the connections. */
  readonly proofs: { readonly rounds: number; readonly requests: number };
  readonly eventLoop: { readonly rounds: number; readonly seconds: number };
  readonly growth: {
    readonly rounds: number;
    readonly batch: number;
    /** The largest rotation; each of its tokens is seen once. */
    readonly mostTokens: number;
    /** Seconds to wait for start-up connections to close before memory is read. */
    readonly rest: number;
  };
}

export type Platform = 'express' | 'fastify';

/** One comparison through Nest. */
interface Pair {
  readonly alg: Algorithm;
  readonly platform: Platform;
}

/** Ten to twenty-five minutes on two cores. */
export const FULL: Settings = {
  isQuick: false,
  cacheMax: 10_000,
  newTokens: 13_000,
  knownTokens: 1000,
  inProcess: { algorithms: ALGORITHMS, rounds: 7, batch: 40 },
  nest: {
    pairs: [
      { alg: 'RS256', platform: 'fastify' },
      { alg: 'RS256', platform: 'express' },
      { alg: 'ES256', platform: 'fastify' },
      { alg: 'ES256', platform: 'express' },
    ],
    rounds: 7,
    seconds: 1,
    warmUp: 2,
  },
  injected: { rounds: 15, slices: 40 },
  contexts: { rounds: 9, operations: 6400 },
  proofs: { rounds: 7, requests: 6400 },
  eventLoop: { rounds: 7, seconds: 1 },
  growth: { rounds: 25, batch: 30, mostTokens: 1_000_000, rest: 5 },
};

/** A few minutes: shows that everything works, and figures to within a third or so. */
export const QUICK: Settings = {
  isQuick: true,
  cacheMax: 500,
  newTokens: 1000,
  knownTokens: 200,
  inProcess: { algorithms: ['RS256', 'ES256'], rounds: 3, batch: 10 },
  nest: {
    pairs: [
      { alg: 'RS256', platform: 'fastify' },
      { alg: 'ES256', platform: 'express' },
    ],
    rounds: 3,
    seconds: 0.2,
    warmUp: 0.3,
  },
  injected: { rounds: 5, slices: 20 },
  contexts: { rounds: 3, operations: 1600 },
  proofs: { rounds: 3, requests: 960 },
  eventLoop: { rounds: 2, seconds: 0.5 },
  growth: { rounds: 5, batch: 10, mostTokens: 20_000, rest: 0 },
};

/** Tokens under way at once in process, where there are several. */
export const MANY = 64;

/** Connections of the load through Nest. */
export const CONNECTIONS = 32;
