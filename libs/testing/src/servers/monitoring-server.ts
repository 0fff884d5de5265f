import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { freePort } from '../testbed/ports.ts';

/** A real Prometheus or Alertmanager on 127.0.0.1. */
export interface MonitoringServer {
  readonly url: string;
  stop(): Promise<void>;
}

const onPath = (...names: readonly string[]): string | null =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path)) ?? null;

/** Debian's prometheus and prometheus-alertmanager, or what is on the PATH; null where one of them is missing. */
export const findMonitoring = (): { readonly prometheus: string; readonly alertmanager: string } | null => {
  const prometheus = onPath('prometheus');
  const alertmanager = onPath('prometheus-alertmanager', 'alertmanager');
  return prometheus === null || alertmanager === null ? null : { prometheus, alertmanager };
};

export interface PrometheusOptions {
  readonly program: string;
  /** `host:port` of what is scraped, at `/metrics`, with the labels of its own. */
  readonly targets?: readonly string[];
  /** Text in the OpenMetrics format, with times: a past that is there from the start. */
  readonly history?: string;
}

/** Scrapes every three seconds: a scrape that takes longer than its interval is lost. */
export const startPrometheus = async ({
  program,
  targets = [],
  history,
}: PrometheusOptions): Promise<MonitoringServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-prometheus-'));
  const scrape = targets.length === 0 ? [] : [{ job_name: 'test', honor_labels: true, static_configs: [{ targets }] }];
  // JSON is YAML.
  const config = { global: { scrape_interval: '3s', scrape_timeout: '3s' }, scrape_configs: scrape };
  await writeFile(join(folder, 'prometheus.yml'), JSON.stringify(config));
  if (history !== undefined) {
    await writeFile(join(folder, 'history.txt'), history);
    const promtool = join(program, '..', 'promtool');
    await finished(promtool, [
      'tsdb',
      'create-blocks-from',
      'openmetrics',
      join(folder, 'history.txt'),
      join(folder, 'data'),
    ]);
  }
  return launch(program, folder, '/-/ready', (port) => [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    '--storage.tsdb.retention.time=30d',
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
};

export const startAlertmanager = async (program: string): Promise<MonitoringServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-alertmanager-'));
  await writeFile(
    join(folder, 'alertmanager.yml'),
    JSON.stringify({ route: { receiver: 'nobody' }, receivers: [{ name: 'nobody' }] }),
  );
  return launch(program, folder, '/-/ready', (port) => [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ]);
};

/** What a workload under test would show at `/metrics`; `text` is asked at each scrape. */
export const startMetrics = async (text: () => string): Promise<{ readonly target: string; stop(): Promise<void> }> => {
  const server = createServer((_request, response) => response.end(text()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { target: `127.0.0.1:${portOf(server)}`, stop: () => closed(server) };
};

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

const LINES_KEPT = 20;
const READY_WITHIN = 30_000;

const launch = async (
  program: string,
  folder: string,
  ready: string,
  argumentsFor: (port: number) => readonly string[],
): Promise<MonitoringServer> => {
  const port = await freePort();
  const child = spawn(program, argumentsFor(port), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const lines: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    lines.push(...chunk.toString('utf8').split('\n'));
    lines.splice(0, lines.length - LINES_KEPT);
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const until = Date.now() + READY_WITHIN;
  for (;;) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${program} did not start:\n${lines.join('\n')}`);
    }
    // Neither of them says on its own that it is ready.
    const answer = await request(`${url}${ready}`).catch(() => null);
    await answer?.body.dump();
    if (answer?.statusCode === 200) return { url, stop };
    await delay(50);
  }
};

const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
};

const finished = async (program: string, args: readonly string[]): Promise<void> => {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${said}`);
};
