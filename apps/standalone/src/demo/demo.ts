import { startSimulatedMetrics } from '@breakwater/simulator';
import { mkdir, mkdtemp, rm, writeFile, chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shutdown } from '../shutdown.ts';
import { BreakwaterProcess } from './breakwater-process.ts';
import { ExampleRepository } from './example-repository.ts';
import type { Cast } from './cast.ts';
import { metricsTarget } from './serving-images.ts';
import { realStage, simulatedStage, type Stage } from './stage.ts';
import { tellStory } from './story.ts';
import { printable, type Teller } from './teller.ts';
import type { Finding } from './verdict.ts';

export interface DemoOptions {
  /** On real control planes of the test bed, and fewer of them. */
  readonly real: boolean;
  /** Ends after the story. */
  readonly exit: boolean;
}

const REAL_FLEET = { 'eu-north': 1, 'eu-west': 2, 'us-east': 2, 'ap-south': 1 };
const PACES = { simulated: { rolloutMs: 30_000, settleMs: 3_000 }, real: { rolloutMs: 90_000, settleMs: 15_000 } };

/** Resolves to whether the clusters bear the story out. Everything is taken down again unless it is to stay up until `stop`. */
export const runDemo = async (options: DemoOptions, teller: Teller, stop: AbortSignal): Promise<boolean> => {
  const shutdown = new Shutdown((error) => teller.line(`a part did not stop in order: ${String(error)}`));
  try {
    const cast = await setTheStage(options, teller, shutdown);
    const findings = await Promise.race([tellStory(cast), stopped(stop)]);
    const truthful = tellVerdict(teller, findings, cast.stage);
    if (!options.exit) {
      staysUp(teller, cast);
      await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
      teller.line('stopping …');
    }
    return truthful;
  } finally {
    await shutdown.run();
  }
};

const stopped = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const end = (): void => reject(new Error('stopped before the story was over'));
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  });

const setTheStage = async (options: DemoOptions, teller: Teller, shutdown: Shutdown): Promise<Cast> => {
  teller.line('');
  teller.line(
    `${teller.paint('bold', 'Breakwater')} ${teller.paint('grey', '· staged rollouts, health gates, automatic rollback')}`,
  );
  teller.heading('The stage');
  const root = await mkdtemp(join(tmpdir(), 'breakwater-demo-'));
  // As root, the database runs as another user, who has to get through to its directory.
  await chmod(root, 0o711);
  shutdown.add(() => rm(root, { recursive: true, force: true }));
  const repository = await ExampleRepository.create(join(root, 'fleet'), options.real ? REAL_FLEET : null);
  const names = repository.clusters.map(({ name }) => name);
  const regions = new Set(repository.clusters.map(({ region }) => region));
  if (options.real) teller.event(`starting ${names.length} real Kubernetes API servers; this takes a while …`);
  const stage = options.real ? await realStage(names) : await simulatedStage(names);
  shutdown.add(() => stage.stop());
  const kind = stage.simulated ? 'simulated' : 'real';
  teller.event(`${names.length} ${kind} Kubernetes clusters in ${regions.size} regions are up`);
  const metrics = await startSimulatedMetrics(stage.clusters.map(metricsTarget));
  shutdown.add(() => metrics.stop());
  await repository.commit('the fleet');
  const breakwater = await startBreakwater(root, repository, stage, metrics.host);
  shutdown.add(() => breakwater.stop());
  teller.event(`Breakwater is up at ${breakwater.url}, with its database inside, and has read the fleet repository`);
  return { teller, stage, repository, breakwater, metrics, pace: stage.simulated ? PACES.simulated : PACES.real };
};

const startBreakwater = async (
  root: string,
  repository: ExampleRepository,
  stage: Stage,
  gateHost: string,
): Promise<BreakwaterProcess> => {
  const credentials = join(root, 'credentials');
  const data = join(root, 'data');
  await mkdir(credentials, { mode: 0o700 });
  await mkdir(data, { mode: 0o711 });
  for (const { name, kubeconfig } of stage.clusters) {
    await writeFile(join(credentials, `${name}.kubeconfig`), kubeconfig, { mode: 0o600 });
  }
  const port = (await isFree(8080)) ? 8080 : await freePort();
  return BreakwaterProcess.start({ repository: repository.dir, credentials, data, port, gateHosts: gateHost });
};

const tryPort = (port: number): Promise<number | null> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as AddressInfo).port;
      server.close(() => resolve(taken));
    });
  });

const isFree = async (port: number): Promise<boolean> => (await tryPort(port)) !== null;

const freePort = async (): Promise<number> => {
  const port = await tryPort(0);
  if (port === null) throw new Error('no port of 127.0.0.1 is free');
  return port;
};

const tellVerdict = (teller: Teller, findings: readonly Finding[], stage: Stage): boolean => {
  const whose = stage.simulated ? "the simulated clusters' own" : "the clusters' own";
  teller.heading(`The verdict, read from ${whose} objects and request logs`);
  for (const { claim, wrong } of findings) {
    teller.line(`   ${wrong.length === 0 ? teller.paint('green', '✔') : teller.paint('red', '✘')} ${claim}`);
    for (const problem of wrong.slice(0, 8)) teller.line(`       ${teller.paint('red', printable(problem))}`);
    if (wrong.length > 8) teller.line(`       and ${wrong.length - 8} more`);
  }
  const truthful = findings.every(({ wrong }) => wrong.length === 0);
  teller.line('');
  teller.line(
    truthful
      ? teller.paint('green', '   The story is true.')
      : teller.paint('red', '   The story is not true: see the lines above.'),
  );
  teller.line('');
  return truthful;
};

const staysUp = (teller: Teller, { breakwater, repository }: Cast): void => {
  teller.heading('It stays up: try it yourself, in another terminal');
  for (const line of [
    ...(breakwater.url.endsWith(':8080') ? [] : [`export BREAKWATER_URL=${breakwater.url}`]),
    `export BREAKWATER_TOKEN=$(cat ${breakwater.tokenFile})`,
    'npx breakwater rollout get podinfo',
    'npx breakwater plan podinfo',
    'npx breakwater cluster list',
    'npx breakwater audit --since 10m',
    `# edit ${repository.dir}/apps/podinfo and commit it there, then:`,
    'npx breakwater rollout start podinfo --wait',
  ]) {
    teller.line(`   ${line}`);
  }
  teller.line('');
  teller.line(teller.paint('grey', `   Its log is ${breakwater.logFile}. Ctrl-C ends everything and removes it.`));
};
