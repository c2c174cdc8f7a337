import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import type { AuthCensusEntry } from '../census/auth-census-entry.js';
import { operationsOf, type OpenAPIObject, type Operation } from './open-api.js';

/** Keys of Nest's own decorators `@ApiTags` and `@ApiExtension`, the same in every version. */
const TAGS = 'swagger/apiUseTags';
const EXTENSIONS = 'swagger/apiExtension';
/** Names of a handler's method and of its class in a document that only this file sees. */
const METHOD = 'x-nestjs-resilient-auth-method';
const CLASS = 'nestjs-resilient-auth:';

/** Finds the handler of an operation by its method and path; `undefined` when it is none of the application's. */
export type HandlerOf = (key: string) => AuthCensusEntry | undefined;

/**
 * Finds out which handler each operation is: by a second document, in which every class and method carries a mark. So the
 * mapping is that of @nestjs/swagger itself, with prefixes, versions and aliases.
 */
export function handlersOfOperations(app: INestApplication, handlers: readonly AuthCensusEntry[]): HandlerOf {
  const ofHttp = handlers.filter(({ kind }) => kind === 'http');
  const prefixed = read(app, ofHttp, false);
  let plain: ReturnType<typeof read> | undefined;
  // The document may have been made with the option ignoreGlobalPrefix.
  return (key) => prefixed.get(key) ?? (plain ??= read(app, ofHttp, true)).get(key);
}

function read(
  app: INestApplication,
  handlers: readonly AuthCensusEntry[],
  ignoreGlobalPrefix: boolean,
): ReadonlyMap<string, AuthCensusEntry> {
  const classes = [...new Set(handlers.map((handler) => handler.class))];
  const document = marked(handlers, classes, () =>
    SwaggerModule.createDocument(
      app,
      { openapi: '3.0.0', info: { title: '', version: '' } },
      { ignoreGlobalPrefix },
    ),
  );
  const found = [...operationsOf(document)].flatMap(([key, operation]) => {
    const { owner, method } = marksOf(operation);
    const handler = handlers.find((entry) => entry.class === classes[owner] && entry.method === method);
    return handler ? [[key, handler] as const] : [];
  });
  return new Map(found);
}

function marksOf(operation: Operation & { [METHOD]?: unknown }): { owner: number; method: unknown } {
  const tag = operation.tags?.find((name) => name.startsWith(CLASS));
  return { owner: Number(tag?.slice(CLASS.length)), method: operation[METHOD] };
}

/** Makes a document while the marks are there, and takes them away again. */
function marked(
  handlers: readonly AuthCensusEntry[],
  classes: readonly AuthCensusEntry['class'][],
  create: () => OpenAPIObject,
): OpenAPIObject {
  const restores = [
    ...classes.map((owner, index) => mark(owner, TAGS, [`${CLASS}${index}`])),
    ...handlers.flatMap(({ class: owner, method }) => {
      const handler: unknown = Reflect.get(owner.prototype ?? {}, method);
      return typeof handler === 'function' ? [mark(handler, EXTENSIONS, { [METHOD]: method })] : [];
    }),
  ];
  try {
    return create();
  } finally {
    // Backwards: a method that two classes share was marked twice.
    for (const restore of restores.toReversed()) restore();
  }
}

function mark(target: object, key: string, value: unknown): () => void {
  const before: unknown = Reflect.getOwnMetadata(key, target);
  Reflect.defineMetadata(key, value, target);
  return () => {
    if (before === undefined) Reflect.deleteMetadata(key, target);
    else Reflect.defineMetadata(key, before, target);
  };
}
