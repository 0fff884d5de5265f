import { acquireTestbed, type Testbed } from '@breakwater/testing';
import { type SimulatedFleet, startSimulatedFleet } from '@breakwater/simulator';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FleetRepository } from '../../support/fleet-repository.ts';
import { SeparatePrograms } from '../../support/separate-programs.ts';
import { findServers, type Servers } from '../../support/servers.ts';
import type { CampaignCluster } from './campaign-cluster.ts';
import { type CampaignFleet, patientWords, wordsOf } from './campaign-fleet.ts';
import { RealCampaignCluster } from './real-campaign-cluster.ts';
import { SETTINGS, WORKERS } from './schedule.ts';
import { type ReleaseStep } from './steps.ts';
import { SimulatedCampaignCluster } from './simulated-campaign-cluster.ts';

const LATENCY_MS = 10;
const POD_READY_MS = 800;

/** What everything starts from. */
export const FIRST_RELEASE: ReleaseStep = {
  type: 'release',
  atMs: 0,
  kind: 'good',
  version: '1',
  brokenOn: [],
  behaviour: 'broken',
  settings: SETTINGS,
  claim: false,
  supersede: false,
  onceHeld: false,
};

/** PostgreSQL, Redis, Breakwater's programs, and the clusters that they work on. */
export class CampaignWorld {
  readonly home: string;
  readonly fleet: CampaignFleet;
  readonly clusters: readonly CampaignCluster[];
  readonly servers: Servers;
  readonly programs: SeparatePrograms;
  readonly #repository: FleetRepository;
  readonly #stops: readonly (() => Promise<unknown>)[];

  private constructor(
    home: string,
    fleet: CampaignFleet,
    clusters: readonly CampaignCluster[],
    servers: Servers,
    programs: SeparatePrograms,
    repository: FleetRepository,
    stops: readonly (() => Promise<unknown>)[],
  ) {
    this.home = home;
    this.fleet = fleet;
    this.clusters = clusters;
    this.servers = servers;
    this.programs = programs;
    this.#repository = repository;
    this.#stops = stops;
  }

  /** @throws Error where there is no PostgreSQL and Redis, or no programs of the test bed, and what would help */
  static async create(fleet: CampaignFleet, say: (line: string) => void): Promise<CampaignWorld> {
    const source = await findServers();
    if (source === null) {
      throw new Error('there is neither a Docker engine with images nor redis-server and PostgreSQL: install either');
    }
    const home = await mkdtemp(join(tmpdir(), 'breakwater-campaign-'));
    // PostgreSQL runs as another user when this runs as root.
    await chmod(home, 0o711);
    const stops: (() => Promise<unknown>)[] = [];
    try {
      const bed = fleet.real.length === 0 ? null : await leaseBed(fleet, say);
      if (bed !== null) stops.push(() => bed.release());
      const real = await Promise.all(
        (bed?.clusters ?? []).map((cluster, index) => RealCampaignCluster.of(fleet.real[index] ?? '', cluster)),
      );
      const simulated = await startSimulatedFleet({
        clusters: fleet.simulated.map((name) => ({
          name,
          latencyMs: LATENCY_MS,
          workloads: { podReadyMs: POD_READY_MS },
        })),
      });
      stops.push(() => simulated.stop());
      const clusters = [...real, ...simulated.clusters.map((cluster) => new SimulatedCampaignCluster(cluster))];
      const names = clusters.map(({ name }) => name);
      const repository = await FleetRepository.create(home, names, wordsOf(fleet));
      await repository.commit(FIRST_RELEASE.version);
      const credentials = await writeCredentials(home, real, simulated);
      say(`PostgreSQL and Redis: ${source.described}`);
      const servers = await source.start();
      stops.push(() => servers.stop());
      const programs = await SeparatePrograms.start({
        home,
        repository: repository.path,
        servers,
        workers: WORKERS,
        credentials: async () => credentials,
      });
      stops.push(() => programs.stop());
      return new CampaignWorld(home, fleet, clusters, servers, programs, repository, stops);
    } catch (error) {
      for (const stop of stops.reverse()) await stop();
      throw error;
    }
  }

  cluster(name: string): CampaignCluster {
    const cluster = this.clusters.find((candidate) => candidate.name === name);
    if (cluster === undefined) throw new Error(`there is no cluster ${name}`);
    return cluster;
  }

  /** Returns the commit. */
  commit({ kind, version, brokenOn, behaviour, settings, claim }: ReleaseStep): Promise<string> {
    const patient = kind === 'regressing' ? patientWords(this.fleet) : {};
    return this.#repository.commit(version, brokenOn, { behaviour, settings, claim, ...patient });
  }

  async stop(keep: boolean): Promise<void> {
    for (const stop of [...this.#stops].reverse()) await stop();
    if (!keep) await rm(this.home, { recursive: true, force: true });
  }
}

const leaseBed = async (fleet: CampaignFleet, say: (line: string) => void): Promise<Testbed> => {
  say(`${fleet.real.length} real control planes are being leased from the test bed`);
  const bed = await acquireTestbed({ clusters: fleet.real.length, label: 'fault campaign' });
  await bed.reset();
  return bed;
};

const writeCredentials = async (
  home: string,
  real: readonly RealCampaignCluster[],
  simulated: SimulatedFleet,
): Promise<string> => {
  const directory = join(home, 'credentials');
  await mkdir(directory, { mode: 0o700 });
  for (const { name, kubeconfig } of [...real, ...simulated.clusters]) {
    await writeFile(join(directory, `${name}.kubeconfig`), kubeconfig, { mode: 0o600 });
  }
  return directory;
};
