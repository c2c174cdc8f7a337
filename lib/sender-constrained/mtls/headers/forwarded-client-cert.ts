import { decodeEscapedPem } from './escaped-pem.js';
import { thumbprintOf } from '../thumbprint.js';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;

/**
 * Values stand wholly in quotes, or have neither quotes nor backslashes. What a client has sent before Envoy's element must
 * not reach into it with an open quote that a name in the client's certificate closes.
 */
const LIST = /^(?:[^"\\;,=]*(?:=(?:"(?:[^"\\]|\\.)*"|[^"\\;,]*))?(?:[;,]|$))*$/;

/**
 * Reads Envoy's `x-forwarded-client-cert`: of its elements the last, which the nearest proxy has added. `Cert` holds the
 * certificate as escaped PEM, `Hash` its SHA-256 in hexadecimal; with both, both must name the same one.
 */
export function thumbprintOfXfcc(value: string): string | undefined {
  if (!LIST.test(value)) return undefined;
  const pairs = splitOutsideQuotes(splitOutsideQuotes(value, ',').at(-1) ?? '', ';').map(pairOf);
  const found = pairs.flatMap(([key, text]) => readers.get(key)?.(text) ?? []);
  const [thumbprint, ...others] = found;
  const isNamed = pairs.filter(([key]) => readers.has(key)).length === found.length;
  return isNamed && others.every((other) => other === thumbprint) ? thumbprint : undefined;
}

/** Keys are compared without regard to case. */
const readers: ReadonlyMap<string, (text: string) => string | undefined> = new Map([
  ['cert', thumbprintOfCert],
  ['hash', thumbprintOfHash],
]);

function thumbprintOfCert(text: string): string | undefined {
  const der = decodeEscapedPem(text);
  return der && thumbprintOf(der);
}

function thumbprintOfHash(text: string): string | undefined {
  return HEX_SHA256.test(text) ? Buffer.from(text, 'hex').toString('base64url') : undefined;
}

/** Key and value of `Key="value"`; in quotes a backslash escapes a quote. */
function pairOf(text: string): readonly [key: string, value: string] {
  const end = text.indexOf('=');
  const key = text.slice(0, Math.max(end, 0)).trim().toLowerCase();
  const value = text.slice(end + 1).trim();
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return [key, isQuoted ? value.slice(1, -1).replaceAll('\\"', '"') : value];
}

/** Splits at a separator, but not inside of double quotes: subjects hold commas and semicolons. */
function splitOutsideQuotes(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isQuoted && character === '\\') i++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return isQuoted ? [] : [...parts, text.slice(start)];
}
