import type { INestApplication } from '@nestjs/common';
import { answerTo } from '../authorized/answers/auth-answer.js';
import type { Requirements } from '../authorized/requirements/requirements.js';
import { AuthCensus } from '../census/auth-census.js';
import { RESOLVED_OPTIONS, type ResolvedAuthOptions } from '../options/resolved-options.js';
import { handlersOfOperations } from './handlers-of-operations.js';
import { operationsOf, type OpenAPIObject, type Operation } from './open-api.js';
import { refusalComponents, refusalReference, type DocumentedStatus } from './refusal-responses.js';
import { SecuritySchemes } from './security-schemes.js';

/**
 * Adds to a document of `SwaggerModule.createDocument` what protects each operation: security schemes and requirements, and
 * the answers 401, 403 and 503 with our body. What the application has written itself stays: `@ApiResponse` of a status,
 * `@ApiSecurity` of an operation, components of the same names.
 *
 * ```ts
 * const document = SwaggerModule.createDocument(app, config);
 * documentAuthorization(document, app);
 * SwaggerModule.setup('api', app, document);
 * ```
 *
 * @param app the application of the document, with `AuthModule`
 * @returns the document, which is changed
 */
export function documentAuthorization<Document extends OpenAPIObject>(
  document: Document,
  app: INestApplication,
): Document {
  const { handlers } = app.get(AuthCensus, { strict: false });
  const options = app.get<ResolvedAuthOptions>(RESOLVED_OPTIONS, { strict: false });
  const security = new SecuritySchemes(options, document.openapi);
  const handlerOf = handlersOfOperations(app, handlers);
  let isProtected = false;
  for (const [key, operation] of operationsOf(document)) {
    const handler = handlerOf(key);
    if (handler?.anonymous) operation.security ??= [];
    // Of a handler that no guard of ours runs before nothing is said.
    if (!handler?.protected) continue;
    isProtected = true;
    operation.security ??= security.requirementsOf(handler.requirements);
    addResponses(operation, handler.requirements);
  }
  if (isProtected) addComponents(document, security);
  return document;
}

function addResponses(operation: Operation, requirements: Requirements): void {
  const statuses: readonly DocumentedStatus[] = canBeForbidden(requirements) ? [401, 403, 503] : [401, 503];
  for (const status of statuses) operation.responses[status] ??= refusalReference(status);
}

/** Whether something is required that a valid token may lack; a login that is too weak is answered 401. */
function canBeForbidden({ checks }: Requirements): boolean {
  return checks.some((check) => answerTo(check.denial(checks), undefined).status === 403);
}

function addComponents(document: OpenAPIObject, { schemes: security }: SecuritySchemes): void {
  const { schemas, responses } = refusalComponents();
  const { components } = document;
  const securitySchemes = {};
  Object.assign(securitySchemes, Object.fromEntries(security), components?.securitySchemes);
  document.components = {
    ...components,
    schemas: { ...schemas, ...components?.schemas },
    responses: { ...responses, ...components?.responses },
    securitySchemes,
  };
}
