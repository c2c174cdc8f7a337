import { createHmac } from 'node:crypto';
import { segment } from './twin-api.js';

/** The three segments of a token. */
export interface Parts {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

/** What a mutation of the header needs to know. */
export interface Attack {
  /** The key set's own key, as an attacker sees it. */
  readonly publicKeyBytes: Buffer;
  readonly header: Readonly<Record<string, unknown>>;
}

/**
 * The mutations of Wycheproof that are made of text, by the name of the vector. Each is applied to a twin, and to the
 * valid vector of its group, where it has to give the very vector it is named after.
 */
export const TEXT_MUTATIONS: Readonly<Record<string, (parts: Parts) => string>> = {
  rejectsModifiedSignature: ({ header, payload, signature }) =>
    `${header}.${payload}.${signature.startsWith('X') ? 'Y' : 'X'}${signature.slice(1)}`,
  rejectsMissingSignature: ({ header, payload }) => `${header}.${payload}.`,
  rejectsMissingSignatureAndSeparator: ({ header, payload }) => `${header}.${payload}`,
  rejectsModifiedPayload: ({ header, payload, signature }) => `${header}.${respell(payload)}.${signature}`,
  rejectsMissingPayload: ({ header, signature }) => `${header}..${signature}`,
  rejectsMissingPayloadAndSeparator: ({ header, signature }) => `${header}.${signature}`,
  rejectsModifiedHeader: ({ header, payload, signature }) => `${renameKey(header)}.${payload}.${signature}`,
  rejectsMissingHeader: ({ payload, signature }) => `.${payload}.${signature}`,
  rejectsMissingHeaderAndSeparator: ({ payload, signature }) => `${payload}.${signature}`,
  rejectsMissingHeaderAndSignature: ({ payload }) => `.${payload}.`,
  rejectsMissingHeaderSignatureAndSeparators: ({ payload }) => payload,
  rejectsMissingHeaderSignatureAndSeparator: ({ payload }) => payload,
  rejectsEmptyString: () => '',
  rejectsExtraEmptyComponent: ({ header, payload, signature }) => `${header}.${payload}.${signature}.`,
  rejectsExtraComponent: ({ header, payload, signature }) => `${header}.${payload}.${signature}.Zm9v`,
};

/** Mutations of the base64 group; Wycheproof signs what comes out, so a lenient decoder finds nothing wrong with it. */
export const SPELLING_MUTATIONS: Readonly<Record<string, (parts: Parts) => Parts>> = {
  rejectsSpacesInMac: (parts) => ({ ...parts, signature: `    ${parts.signature}` }),
  rejectsInvalidCharacterInsertedInMac: (parts) => ({ ...parts, signature: `?${parts.signature}` }),
  'rejectsInvalidCharacterInsertedInMac, at its end': (parts) => ({
    ...parts,
    signature: `${parts.signature}?`,
  }),
  rejects0ReplacedbyInvalidCharacter: (parts) => ({ ...parts, signature: `?${parts.signature.slice(1)}` }),
  rejectsInvalidCharacters: (parts) => ({ ...parts, signature: `????${parts.signature.slice(4)}` }),
  spacesInHeader: (parts) => ({ ...parts, header: `${parts.header}    ` }),
  invalidCharactersInHeader: (parts) => ({ ...parts, header: `${parts.header}####` }),
  invalidBase64Padding: (parts) => ({ ...parts, header: `${parts.header}=` }),
  spacesInPayload: (parts) => ({ ...parts, payload: `    ${parts.payload}` }),
  invalidCharactersInPayload: (parts) => ({ ...parts, payload: `####${parts.payload}` }),
  invalidBase64PaddingInPayload: (parts) => ({ ...parts, payload: `${parts.payload}=` }),
  InvalidCharacterInPayload: (parts) => ({ ...parts, payload: `?${parts.payload}` }),
  InvalidCharacterInsertedInHeader: (parts) => ({ ...parts, header: `${parts.header}?` }),
  InvalidCharacterInsertedInPayload: (parts) => ({ ...parts, payload: `${parts.payload}?` }),
  'the padding that base64 would ask for': (parts) => ({ ...parts, signature: padded(parts.signature) }),
  'the alphabet of plain base64': (parts) => ({ ...parts, signature: toPlainBase64(parts.signature) }),
  'a line break in the signature': (parts) => ({ ...parts, signature: `${parts.signature}\n` }),
};

/** Symmetry confusion: the public key, which is no secret, taken for an HMAC secret. */
export function confuseSymmetry({ header, publicKeyBytes }: Attack, payload: string): string {
  const input = `${segment({ ...header, alg: 'HS256' })}.${payload}`;
  return `${input}.${createHmac('sha256', publicKeyBytes).update(input).digest('base64url')}`;
}

/** The general serialization of a token, with the unprotected header of the vector. */
export function toJsonSerialization({ header, payload, signature }: Parts): string {
  return JSON.stringify({
    payload,
    signatures: [{ protected: header, header: { unknown: 'untrustworthy' }, signature }],
  });
}

export function split(token: string): Parts {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return { header, payload, signature };
}

/** The first letter of the decoded text becomes an X; `{"` and `foo` alike. */
function respell(payload: string): string {
  const bytes = Buffer.from(payload, 'base64url');
  bytes[0] = 0x58;
  return bytes.toString('base64url');
}

function renameKey(header: string): string {
  const text = Buffer.from(header, 'base64url').toString();
  return Buffer.from(text.replace('"kid":"k', '"kid":"X')).toString('base64url');
}

function padded(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

function toPlainBase64(text: string): string {
  // Whether there is anything to translate depends on the signature; the padding always shows.
  return Buffer.from(text, 'base64url').toString('base64');
}
