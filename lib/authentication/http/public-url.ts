import { asError } from '../../errors/as-error.js';
import { AuthConfigurationError } from '../../errors/configuration.error.js';
import { assertNotAwaited } from '../thenable.js';

/** What the option `publicUrl` takes. */
export type PublicUrlOption = string | ((request: unknown) => URL);

/** The API as the client of one request sees it. */
export interface PublicUrl {
  /** As the option has it, byte for byte; what a function returns is normalized by `URL`. */
  readonly text: string;
  /** Scheme, host and port, normalized. */
  readonly origin: string;
  /** Percent-encoded; starts with a slash, and is one where the URL has no path. */
  readonly pathname: string;
}

/** Returns the public URL for a request. @throws {AuthConfigurationError} a function of the application gives none */
export type PublicUrlReader = (request: unknown) => PublicUrl;

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/** What is allowed, to end a sentence of a message. */
export const PUBLIC_URL = 'an https URL without query and fragment (http for localhost only)';

/** Whether a text can be the address of an API (RFC 9728 §1.2): https, or http on loopback; no query, fragment, user. */
export function isPublicUrl(text: string): boolean {
  if (/[\s?#]/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  if (username !== '' || password !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

/** Parts of an address that {@link isPublicUrl} accepts. */
export function parsePublicUrl(text: string): PublicUrl {
  const { origin, pathname } = new URL(text);
  return Object.freeze({ text, origin, pathname });
}

/**
 * Returns how to find the public URL of a request: the only way to it. The request is passed to the application's own
 * function and not looked at: `Host` and `X-Forwarded-*` are what a client writes.
 */
export function publicUrlReader(option: PublicUrlOption): PublicUrlReader {
  if (typeof option === 'function') return (request) => parsePublicUrl(textFrom(option, request));
  const fixed = parsePublicUrl(option);
  return () => fixed;
}

function textFrom(option: (request: unknown) => unknown, request: unknown): string {
  const url = call(option, request);
  assertNotAwaited(url, 'publicUrl');
  if (!(url instanceof URL)) throw new AuthConfigurationError('The function publicUrl returned no URL');
  if (isPublicUrl(url.href)) return url.href;
  throw new AuthConfigurationError(`The function publicUrl must return ${PUBLIC_URL}`);
}

function call(option: (request: unknown) => unknown, request: unknown): unknown {
  try {
    return option(request);
  } catch (thrown) {
    throw new AuthConfigurationError('The function publicUrl threw an error', { cause: asError(thrown) });
  }
}
