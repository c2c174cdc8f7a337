const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Decodes base64, with or without padding; `undefined` for other characters, which Node would skip.
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (!BASE64.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
