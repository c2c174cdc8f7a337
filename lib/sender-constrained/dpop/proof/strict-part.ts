import { ProofError } from '../../../errors/request.errors.js';
import { explanation } from '../../../errors/without-stack-trace.js';
import { parseJsonObject } from '../../../token/parse/strict-json.js';

/** Parses header or claims of a proof with the same strictness and bounds as those of a token. @throws {ProofError} */
export function parseStrictly(segment: string, part: 'header' | 'payload'): Record<string, unknown> {
  const parsed = parseJsonObject(Buffer.from(segment, 'base64url'));
  if (typeof parsed !== 'string') return parsed.object;
  const cause = explanation(`The ${part} ${parsed}`);
  throw new ProofError('AUTH_PROOF_INVALID', 'A part of the proof is not a strict JSON object', { cause });
}
