import { RequestInvalidError } from '../../errors/request.errors.js';
import type { HttpRequestLike } from '../credentials.js';

/**
 * The value of a header that may come once only, such as a proof or a certificate, from the list as it was sent: Node
 * joins or drops duplicates.
 *
 * @param name in lower case
 * @returns `undefined` when the request has none, or no raw list
 * @throws {RequestInvalidError} when it comes more than once
 */
export function singleRawHeader(http: HttpRequestLike, name: string): string | undefined {
  const values = rawHeaderValues(http, name);
  if (values.length > 1) throw new RequestInvalidError(`The request has several ${name} headers; send one`);
  return values[0];
}

/** Every value of a header as it was sent. @param name in lower case */
export function rawHeaderValues(http: HttpRequestLike, name: string): readonly string[] {
  const raw = rawHeadersOf(http);
  return raw.filter((_, index) => index % 2 === 1 && isNamed(raw[index - 1], name));
}

/** Whether a header comes more than once; allocates nothing. @param name in lower case */
export function isRepeated(http: HttpRequestLike, name: string): boolean {
  const raw = rawHeadersOf(http);
  let seen = 0;
  for (let i = 0; i < raw.length; i += 2) if (isNamed(raw[i], name)) seen++;
  return seen > 1;
}

function rawHeadersOf({ rawHeaders, raw }: HttpRequestLike): readonly string[] {
  return rawHeaders ?? raw?.rawHeaders ?? [];
}

function isNamed(given: string | undefined, name: string): boolean {
  return given?.length === name.length && given.toLowerCase() === name;
}
