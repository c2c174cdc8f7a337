/*
 * Draws docs/telemetry/dashboard.svg: an application under load while its issuer rotates keys, is flooded with unknown key ids
 * and goes down; scraped by a real Prometheus, which answers the dashboard's own queries. Grafana draws them otherwise.
 * Needs the program `prometheus`, in PATH or named by PROMETHEUS.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { drawDashboard, type Dashboard, type DrawnPanel } from './draw.js';
import { Prometheus } from './prometheus.js';
import { runStory } from './story.js';

const DOCS = new URL('../../../docs/telemetry/', import.meta.url);
/** Seconds between two samples of the picture. */
const STEP = 2;

const dashboard: Dashboard = JSON.parse(await readFile(new URL('grafana-dashboard.json', DOCS), 'utf8'));
const exporterPort = 9464;
await using prometheus = await Prometheus.start(exporterPort);
const { from, until, marks } = await runStory(exporterPort);

const panels: DrawnPanel[] = [];
for (const { title, gridPos, fieldConfig, targets } of dashboard.panels) {
  const lines = await Promise.all(
    targets.map(({ expr, legendFormat }) =>
      prometheus.query(withVariables(expr), legendFormat, { from, until, step: STEP }),
    ),
  );
  panels.push({ title, gridPos, unit: fieldConfig.defaults.unit, lines: lines.flat() });
}
await writeFile(new URL('dashboard.svg', DOCS), drawDashboard(panels, { from, until, marks }));
console.log('Written: docs/telemetry/dashboard.svg');

/** What Grafana puts in the place of its variables. */
function withVariables(expr: string): string {
  return expr.replaceAll('$__rate_interval', '10s').replaceAll(/\$(?:job|instance)/g, '.*');
}
