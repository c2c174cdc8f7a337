import { Controller, Get, Module, Req, Res } from '@nestjs/common';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { AllowAnonymous } from 'nestjs-resilient-auth';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import type { Feature } from '../feature.js';

/** Without a server of its own: a route of the API serves what it collects. */
const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
const meterProvider = new MeterProvider({ readers: [exporter] });

type Handler = PrometheusExporter['getMetricsRequestHandler'];

/** Anonymous since the sample listens on loopback; elsewhere give the exporter a port that the outside does not reach. */
@Controller('metrics')
class MetricsController {
  @Get()
  @AllowAnonymous()
  metrics(@Req() request: Parameters<Handler>[0], @Res() response: Parameters<Handler>[1]): void {
    exporter.getMetricsRequestHandler(request, response);
  }
}

@Module({ controllers: [MetricsController] })
class MetricsModule {}

export const metrics: Feature = {
  module: MetricsModule,
  extension: openTelemetry({ meterProvider }),
  routes: [{ method: 'GET', path: '/metrics', requires: 'nothing' }],
};
