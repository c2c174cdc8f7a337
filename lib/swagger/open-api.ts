import type { OpenAPIObject } from '@nestjs/swagger';

/*
 * The parts of a document that are written here. Derived, since not every version of @nestjs/swagger exports their types.
 */

export type { OpenAPIObject };
export type Components = NonNullable<OpenAPIObject['components']>;
export type SecurityScheme =
  | NonNullable<Components['securitySchemes']>[string]
  // Of OpenAPI 3.1, which the types of @nestjs/swagger do not have.
  | { readonly type: 'mutualTLS'; readonly description: string };
export type Schema = NonNullable<Components['schemas']>[string];
export type Response = NonNullable<Components['responses']>[string];
export type SecurityRequirement = NonNullable<OpenAPIObject['security']>[number];

/** An operation of a path, as far as it is read and written. */
export interface Operation {
  responses: Record<string, unknown>;
  tags?: readonly string[];
  security?: SecurityRequirement[];
}

/** The operations of a document by method and path. */
export function operationsOf({ paths }: OpenAPIObject): ReadonlyMap<string, Operation> {
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, value]: [string, unknown]) =>
      isOperation(value) ? [[`${method} ${path}`, value] as const] : [],
    ),
  );
  return new Map(operations);
}

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'responses' in value;
}
