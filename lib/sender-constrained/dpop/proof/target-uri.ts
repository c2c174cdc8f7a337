import type { HttpRequestLike } from '../../../authentication/credentials.js';
import type { PublicUrl } from '../../../authentication/http/public-url.js';

/** An authority without userinfo, and a path; query and fragment are cut off (RFC 9449 §4.3, 9). */
const HTTP_URI = /^https?:\/\/[^/?#@]+(?![^/?#])[^?#]*/i;
/** A backslash is a slash to parsers of URLs, and none to routers. */
const VISIBLE = /^[\x21-\x5b\x5d-\x7e]+$/;
const BROKEN_ENCODING = /%(?![\da-f]{2})/i;
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;
/** RFC 3986 §2.3. */
const UNRESERVED = /^[\w.~-]$/;

/**
 * Returns the address of a request as its client sees it: the public URL, with the path of the request. `Host` and an
 * absolute target, which a client writes, have no part in it.
 *
 * @returns `undefined` for a target that is no plain path: an absolute one, or one with dot segments, which a router may
 *   read in another way than this comparison
 */
export function targetUri(request: HttpRequestLike, { origin, pathname }: PublicUrl): string | undefined {
  const target = request.originalUrl ?? request.raw?.url ?? request.url;
  if (typeof target !== 'string' || !target.startsWith('/')) return undefined;
  const [path = ''] = target.split(/[?#]/, 1);
  if (DOT_SEGMENT.test(path)) return undefined;
  return `${origin}${under(pathname, path)}`;
}

/**
 * Whether `htu` is the address of the request after normalization by syntax and by scheme (RFC 3986 §6.2.2 and §6.2.3):
 * case of scheme and host, percent-encoding, dot segments, default port, empty path. The case of the path counts.
 */
export function isSameUri(htu: string, target: string): boolean {
  if (htu === target) return true;
  const normalized = normalize(htu);
  return normalized !== undefined && normalized === normalize(target);
}

/** A proxy may have taken the path of the public URL away from the request, or left it on. */
function under(pathname: string, path: string): string {
  const base = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  return path === base || path.startsWith(`${base}/`) ? path : `${base}${path}`;
}

function normalize(uri: string): string | undefined {
  const [text] = HTTP_URI.exec(uri) ?? [];
  if (text === undefined || !VISIBLE.test(text) || BROKEN_ENCODING.test(text)) return undefined;
  if (!URL.canParse(text)) return undefined;
  const { origin, pathname } = new URL(text);
  return `${origin}${pathname.replaceAll(/%[\da-f]{2}/gi, normalizeEncoding)}`;
}

/** RFC 3986 §6.2.2.1-2: hexadecimal digits in upper case, and no encoding where none is needed. */
function normalizeEncoding(triplet: string): string {
  const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
  return UNRESERVED.test(character) ? character : triplet.toUpperCase();
}
