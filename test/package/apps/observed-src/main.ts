import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import { documentAuthorization } from 'nestjs-resilient-auth/swagger';
import { TestIssuer } from 'nestjs-resilient-auth/testing';
import { AppModule } from './app.module.js';

// Each line is one answer for prove.mjs; the last one is printed when nothing is left to do, and then the process must end.
async function main(): Promise<void> {
  const issuer = await TestIssuer.start({ audience: 'orders' });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const meterProvider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
  const options = issuer.options({ extensions: [openTelemetry({ meterProvider })] });
  const app = await NestFactory.create(AppModule.register(options), { logger: ['error', 'warn'] });

  const config = new DocumentBuilder().setTitle('Orders').build();
  const document = documentAuthorization(SwaggerModule.createDocument(app, config), app);
  const operation = document.paths['/orders']?.get;
  console.log(`OpenAPI, security: ${JSON.stringify(operation?.security)}`);
  console.log(`OpenAPI, answers: ${Object.keys(operation?.responses ?? {}).join(' ')}`);
  const schema: { properties?: { errorCode?: { enum?: readonly string[] } } } = Object(
    document.components?.schemas?.['AuthForbidden'],
  );
  console.log(`OpenAPI, 403: ${schema.properties?.errorCode?.enum?.[0]}`);

  await app.listen(0, '127.0.0.1');
  const { port }: AddressInfo = app.getHttpServer().address();
  const token = await issuer.sign({ sub: 'alice', scope: 'orders:read' });
  const bearer: Record<string, string> = { authorization: `Bearer ${token}` };
  for (const headers of [{}, bearer, bearer]) await fetch(`http://127.0.0.1:${port}/orders`, { headers });
  await meterProvider.forceFlush();
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
  const counted = metrics.find(({ descriptor }) => descriptor.name === 'resilient_auth.authentications');
  for (const { attributes, value } of counted?.dataPoints ?? [])
    console.log('metrics:', attributes['outcome'], attributes['cache'], value);

  await app.close();
  await meterProvider.shutdown();
  await issuer.close();
  console.log('closed');
}

void main();
