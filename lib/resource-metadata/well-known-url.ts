import type { PublicUrl } from '../authentication/http/public-url.js';

/** RFC 9728 §3. */
export const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The path of the metadata of a resource: inserted between its host and its path (RFC 9728 §3.1). */
export function metadataPathOf({ pathname }: PublicUrl): string {
  return pathname === '/' ? WELL_KNOWN : `${WELL_KNOWN}${pathname}`;
}

/** The address of the metadata of a resource, as challenges name it (RFC 9728 §5.1). */
export function metadataUrlOf(resource: PublicUrl): string {
  return `${resource.origin}${metadataPathOf(resource)}`;
}
