import { codesWith } from '../authorized/answers/auth-answer.js';
import type { Components, Response, Schema } from './open-api.js';

/** The refusals that are documented, by their status. */
const REFUSALS = [
  {
    status: 401,
    name: 'AuthUnauthorized',
    error: 'Unauthorized',
    description: 'The token is missing or not accepted',
  },
  {
    status: 403,
    name: 'AuthForbidden',
    error: 'Forbidden',
    description: 'The token is valid and does not allow this',
  },
  {
    status: 503,
    name: 'AuthUnavailable',
    error: 'Service Unavailable',
    description: 'The token could not be checked; nothing is said about it',
  },
] as const;

type Refusal = (typeof REFUSALS)[number];

/** A status that is documented. */
export type DocumentedStatus = Refusal['status'];

const HEADERS = {
  'Cache-Control': { description: 'no-store', schema: { type: 'string' } },
} as const;
const CHALLENGE = {
  'WWW-Authenticate': {
    description: 'The challenge (RFC 6750 §3), where credentials would help',
    schema: { type: 'string' },
  },
} as const;
const RETRY = {
  'Retry-After': { description: 'Whole seconds, at least 1', schema: { type: 'integer', minimum: 1 } },
} as const;

/** Schemas of the bodies and responses, one of each per status: the codes are those of the table of answers. */
export function refusalComponents(): Required<Pick<Components, 'schemas' | 'responses'>> {
  return {
    schemas: Object.fromEntries(REFUSALS.map((refusal) => [refusal.name, schemaOf(refusal)])),
    responses: Object.fromEntries(REFUSALS.map((refusal) => [refusal.name, responseOf(refusal)])),
  };
}

/** What an operation says of a status. */
export function refusalReference(status: DocumentedStatus): { $ref: string } {
  const name = REFUSALS.find((refusal) => refusal.status === status)?.name;
  return { $ref: `#/components/responses/${name}` };
}

function schemaOf({ status, error }: Refusal): Schema {
  const codes = codesWith(status);
  return {
    type: 'object',
    required: ['message', 'error', 'statusCode', 'errorCode'],
    properties: {
      message: { type: 'string', description: 'A fixed text, for people' },
      error: { type: 'string', enum: [error] },
      statusCode: { type: 'integer', enum: [status] },
      errorCode: {
        type: 'string',
        enum: codes.map(({ code }) => code),
        description: codes.map(({ code, description }) => `- \`${code}\`: ${description}`).join('\n'),
      },
    },
  };
}

function responseOf({ status, name, description }: Refusal): Response {
  return {
    description,
    headers: { ...HEADERS, ...(status === 503 ? RETRY : CHALLENGE) },
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}
