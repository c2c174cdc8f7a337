import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { documentAuthorization } from 'nestjs-resilient-auth/swagger';
import type { Feature } from '../feature.js';

/** Serves Swagger UI at `/api`, which no guard of Nest's protects: a page that tries every operation out with a token. */
function serveOpenApi(app: INestApplication): void {
  const config = new DocumentBuilder().setTitle('Orders API').build();
  const document = SwaggerModule.createDocument(app, config);
  SwaggerModule.setup('api', app, documentAuthorization(document, app));
}

export const openApi: Feature = {
  prepare: serveOpenApi,
  routes: [{ method: 'GET', path: '/api', requires: 'nothing (Swagger UI; /api-json is the document)' }],
};
