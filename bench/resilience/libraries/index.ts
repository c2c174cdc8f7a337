import type { StartService } from './library.js';

/** A library as the report names it. */
export interface Library {
  /** For `--libraries`. */
  readonly id: string;
  /** Loads it, in the process that serves with it. */
  readonly load: () => Promise<{ readonly start: StartService }>;
  readonly title: string;
  /** The packages whose versions the report states. */
  readonly packages: readonly string[];
}

/** Ours first. */
export const LIBRARIES: readonly Library[] = [
  {
    id: 'nestjs-resilient-auth',
    title: 'nestjs-resilient-auth',
    packages: ['nestjs-resilient-auth'],
    load: () => import('./nestjs-resilient-auth.js'),
  },
  {
    id: 'passport-jwks-rsa',
    title: 'passport-jwt + jwks-rsa',
    packages: ['passport-jwt', 'jwks-rsa'],
    load: () => import('./passport-jwks-rsa.js'),
  },
  { id: 'jose', title: 'jose', packages: ['jose'], load: () => import('./jose.js') },
  {
    id: 'aws-jwt-verify',
    title: 'aws-jwt-verify',
    packages: ['aws-jwt-verify'],
    load: () => import('./aws-jwt-verify.js'),
  },
  {
    id: 'express-oauth2-jwt-bearer',
    title: 'express-oauth2-jwt-bearer',
    packages: ['express-oauth2-jwt-bearer'],
    load: () => import('./express-oauth2-jwt-bearer.js'),
  },
  {
    id: 'fast-jwt',
    title: 'fast-jwt + get-jwks',
    packages: ['fast-jwt', 'get-jwks'],
    load: () => import('./fast-jwt.js'),
  },
];
