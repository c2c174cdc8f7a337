import { readFileSync } from 'node:fs';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { openTelemetry } from 'nestjs-resilient-auth/opentelemetry';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { platforms } from '../support/apps/platforms.js';
import { startApi, startIssuer } from '../support/apps/start-api.js';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly alert: string;
      readonly expr: string;
      readonly annotations: Readonly<Record<string, string>>;
    }[];
  }[];
}
interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  }[];
}

const document = (name: string): string =>
  readFileSync(new URL(`../../docs/telemetry/${name}`, import.meta.url), 'utf8');
const rules: Rules = parse(document('alerts.yml'));
const dashboard: Dashboard = JSON.parse(document('grafana-dashboard.json'));
const alerts = rules.groups.flatMap((group) => group.rules);
const queries = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** What the exporter of the guide answers for an API that has accepted, refused, waited and failed. */
async function scrape(): Promise<string> {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const issuer = await startIssuer({ name: 'main' });
  const api = await startApi(
    platforms[0].create,
    issuer.options({ extensions: [openTelemetry({ meterProvider })] }),
  );
  const token = await issuer.sign({ sub: 'alice' });
  await api.get('/orders', token).expect(200);
  await api.get('/orders', token).expect(200);
  await api.get('/orders').expect(401);
  issuer.fail({ mode: { status: 500 } });
  await expect(api.provider.refreshNow()).rejects.toThrow('The refresh failed');
  const { resourceMetrics } = await exporter.collect();
  onTestFinished(() => meterProvider.shutdown());
  return new PrometheusSerializer().serialize(resourceMetrics);
}

/** The metric names of an expression, each with the labels that it selects (with their values) or groups by. */
function namesIn(expr: string): readonly (readonly [name: string, labels: readonly string[]])[] {
  const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  return [...expr.matchAll(/(resilient_auth_[a-z_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', selector = '']) => {
      const selected = [...selector.matchAll(/([a-z_]+)(?:=~|!=|=)/g)].map(([, label = '']) => label);
      return [name, [...grouped, ...selected].filter((label) => !['', 'job', 'instance'].includes(label))];
    },
  );
}

describe('the rules and the dashboard of the guide', () => {
  it('[E3] names metrics, labels and values that the exporter has when an API accepts, refuses and fails', async () => {
    const lines = (await scrape()).split('\n');
    const missing = queries.flatMap(([title, expr]) =>
      namesIn(expr).flatMap(([name, labels]) => {
        const samples = lines.filter((line) => line.startsWith(`${name}{`));
        const isThere = (label: string): boolean => samples.some((line) => line.includes(label));
        return ['{', ...labels]
          .filter((label) => !isThere(label))
          .map((label) => `${title}: ${name}${label}`);
      }),
    );
    expect(missing).toEqual([]);
    expect(queries.every(([, expr]) => namesIn(expr).length > 0)).toBe(true);
  });

  it('[E3] holds the four alerts of the guide, each with a summary and what to do, when it is parsed', () => {
    expect(alerts.map(({ alert }) => alert)).toEqual([
      'AuthMetadataOld',
      'AuthMetadataExpired',
      'AuthMetadataRefreshFailing',
      'AuthRefreshBudgetEmpty',
    ]);
    for (const { annotations } of alerts)
      expect(annotations).toEqual({ summary: expect.any(String), description: expect.any(String) });
  });

  it('[E3] holds panels that do not overlap, and legends of labels that the query keeps, when it is parsed', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const { expr, legendFormat } of dashboard.panels.flatMap(({ targets }) => targets)) {
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
    }
  });
});
