import type { MetadataSource, ResolvedMetadataOptions } from '../metadata/metadata-options.js';

/** Where the metadata of an issuer is: at its well-known addresses, unless the options say otherwise. */
export function addressesOf(
  issuer: string,
  metadataAddress: string | readonly string[] | undefined,
  jwksUri: string | readonly string[] | undefined,
): Pick<ResolvedMetadataOptions, 'metadataAddresses' | 'jwksUri' | 'sources'> {
  const keySets = listOf(jwksUri);
  const documents = listOf(metadataAddress);
  const sources: readonly MetadataSource[] =
    keySets.length > 0
      ? keySets.map((keySet) => ({ jwksUri: keySet, metadataAddresses: [] }))
      : documents.map((address) => ({ jwksUri: undefined, metadataAddresses: [address] }));
  return {
    jwksUri: keySets[0],
    metadataAddresses: documents.length > 0 ? documents.slice(0, 1) : wellKnownAddresses(issuer),
    sources: sources.length > 1 ? sources : [],
  };
}

/** Distinct addresses of an option that takes one or several. */
function listOf(given: string | readonly string[] | undefined): readonly string[] {
  if (given === undefined) return [];
  return typeof given === 'string' ? [given] : [...new Set(given)];
}

/** OIDC Discovery §4.1 appends to the issuer; RFC 8414 §3.1 inserts between host and path. */
function wellKnownAddresses(issuer: string): readonly string[] {
  const base = issuer.endsWith('/') ? issuer.slice(0, -1) : issuer;
  if (!URL.canParse(base)) return [];
  const { origin, pathname } = new URL(base);
  const path = pathname === '/' ? '' : pathname;
  return [
    `${base}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}
