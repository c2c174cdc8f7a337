import type { TestIssuer } from 'nestjs-resilient-auth/testing';

/** How often the key set has been requested. */
export function keySetReads({ requests }: TestIssuer): number {
  return requests.filter(({ endpoint }) => endpoint === 'jwks').length;
}
