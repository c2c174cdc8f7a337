import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** One line of a panel: its legend, and points in seconds since the epoch. */
export interface Line {
  readonly legend: string;
  readonly points: readonly (readonly [time: number, value: number])[];
}

/** What is asked for: seconds since the epoch, and between two points. */
export interface Range {
  readonly from: number;
  readonly until: number;
  readonly step: number;
}

interface Answer {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

const PORT = 9490;

/** A Prometheus that scrapes one application once a second, with the rules of the guide. */
export class Prometheus implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(exporterPort: number): Promise<Prometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'nestjs-resilient-auth-prometheus-'));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '900ms' },
      scrape_configs: [
        { job_name: 'orders-api', static_configs: [{ targets: [`127.0.0.1:${exporterPort}`] }] },
      ],
    };
    // JSON is YAML.
    await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
    const child = spawn(
      process.env['PROMETHEUS'] ?? 'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${PORT}`,
      ],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(child, folder);
    await prometheus.#ready();
    return prometheus;
  }

  /** Evaluates an expression over a range, as the panel of a dashboard does. */
  async query(expr: string, legendFormat: string, { from, until, step }: Range): Promise<readonly Line[]> {
    const parameters = new URLSearchParams({
      query: expr,
      start: String(from),
      end: String(until),
      step: String(step),
    });
    const answer = await fetch(`http://127.0.0.1:${PORT}/api/v1/query_range?${parameters.toString()}`);
    if (!answer.ok) throw new Error(`${expr}: ${await answer.text()}`);
    const { data }: Answer = JSON.parse(await answer.text());
    return data.result.map(({ metric, values }) => ({
      legend: legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, label: string) => metric[label] ?? ''),
      points: values.map(([time, value]) => [time, Number(value)] as const),
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const failed = new Promise<never>((_, reject) => this.child.once('error', reject));
    for (let tries = 0; tries < 100; tries++) {
      const answer = await Promise.race([
        fetch(`http://127.0.0.1:${PORT}/-/ready`).catch(() => undefined),
        failed,
      ]);
      if (answer?.ok) return;
      await wait(200);
    }
    throw new Error('Prometheus does not become ready');
  }
}
