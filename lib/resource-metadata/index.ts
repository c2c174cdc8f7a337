import { AuthConfigurationError } from '../errors/configuration.error.js';
import { isPublicUrl, parsePublicUrl, PUBLIC_URL } from '../authentication/http/public-url.js';
import { metadataUrlOf } from './well-known-url.js';

export type { McpAuthInfo } from './mcp-auth-info.js';
export type { ProtectedResourceMetadata } from './metadata-document.js';

/**
 * Returns the address of the metadata of a resource (RFC 9728 §3.1), for challenges that the application writes itself.
 *
 * @throws {AuthConfigurationError} `resource` is no https URL without query and fragment
 */
export function protectedResourceMetadataUrl(resource: string): string {
  if (isPublicUrl(resource)) return metadataUrlOf(parsePublicUrl(resource));
  throw new AuthConfigurationError(`A resource identifier is ${PUBLIC_URL}`);
}
