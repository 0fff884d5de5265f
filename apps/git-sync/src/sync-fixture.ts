import {
  ask,
  createBundleStore,
  createFleetCommands,
  createRolloutCommands,
  type FleetCommands,
  type GitSync,
  type RecordPort,
  type RepositoryRecord,
  type RolloutCommands,
  type SyncRequest,
} from '@breakwater/application';
import type { FleetSnapshot } from '@breakwater/domain';
import { createAesCipher, createLog, loadConfiguration, settings } from '@breakwater/platform';
import { createMemoryRecord } from '@breakwater/testing';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { FLEET_REPOSITORY, startGitSyncProgram } from './git-sync-program.ts';
import { type SyncLimits, syncLimits } from './sync-limits.ts';

/** A fleet of four clusters in two regions with two applications, in a real Git repository that tests change. */
export class FleetRepository {
  readonly root = mkdtempSync(join(tmpdir(), 'breakwater-sync-'));
  readonly dir = join(this.root, 'fleet');

  constructor() {
    mkdirSync(this.dir);
    this.git('init', '--quiet', '--initial-branch=main');
    this.write('clusters.yaml', ['eu-1', 'eu-2', 'us-1', 'us-2'].map(cluster).join('---\n'));
    this.write('fleet.yaml', FLEET);
    this.write('web.yaml', application('web'));
    this.write('web/config.yaml', configMap('web', 'one'));
    this.write('api.yaml', application('api'));
    this.write('api/config.yaml', configMap('api', 'one'));
    this.commit();
  }

  write(path: string, text: string | Buffer): this {
    mkdirSync(dirname(join(this.dir, path)), { recursive: true });
    writeFileSync(join(this.dir, path), text);
    return this;
  }

  link(path: string, target: string): this {
    symlinkSync(target, join(this.dir, path));
    return this;
  }

  remove(...paths: readonly string[]): this {
    for (const path of paths) rmSync(join(this.dir, path), { recursive: true });
    return this;
  }

  commit(...options: readonly string[]): string {
    this.git('add', '--all');
    this.git('commit', '--quiet', '--allow-empty', '-m', 'change', ...options);
    return this.git('rev-parse', 'HEAD');
  }

  git(...args: readonly string[]): string {
    const person = {
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@example',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@example',
    };
    const env = { PATH: process.env['PATH'], HOME: this.root, GIT_CONFIG_NOSYSTEM: '1', ...person };
    return execFileSync('git', args, { cwd: this.dir, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  /** As a server that was taken down, until it is put back. */
  vanish(): () => void {
    renameSync(this.dir, `${this.dir}.gone`);
    return () => renameSync(`${this.dir}.gone`, this.dir);
  }

  delete(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const cluster = (name: string): string =>
  `apiVersion: breakwater.dev/v1alpha1\nkind: Cluster\nmetadata: { name: ${name} }\nspec: { region: ${name.slice(0, 2)} }\n`;

const FLEET = `apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec:
  clusters: { all: true }
  strategy: careful
  regions: { eu: { values: { currency: EUR } }, us: { values: { currency: USD } } }
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: careful }
spec: { waves: [{ name: all }] }
`;

export const application = (name: string, more = ''): string =>
  `apiVersion: breakwater.dev/v1alpha1\nkind: Application\nmetadata: { name: ${name} }\nspec:\n  fleet: shop\n  namespace: ${name}\n  source: { path: ${name}, substitute: true }\n${more}`;

export const configMap = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata:\n  value: ${value}\n`;

export const ADMIN = { name: 'admin' };

/** The Git sync as it runs, over the in-memory record. */
export class SyncUnderTest {
  readonly record: RecordPort;
  readonly fleet: FleetCommands;
  readonly commands: RolloutCommands;
  private readonly repository: FleetRepository;
  private readonly running: GitSync[] = [];
  private readonly cipher = createAesCipher(randomBytes(32));
  readonly woken: string[] = [];
  private readonly wakeUps = {
    wake: async (key: string) => void this.woken.push(key),
    wakeAll: async (keys: readonly string[]) => void this.woken.push(...keys),
  };

  constructor(repository: FleetRepository) {
    this.repository = repository;
    this.record = createMemoryRecord({ now: Date.now });
    this.fleet = createFleetCommands({ record: this.record });
    const bundles = createBundleStore(this.record, this.cipher);
    this.commands = createRolloutCommands({ record: this.record, bundles, wakeUps: this.wakeUps });
  }

  async start(pollMs = 3_600_000, limits: Partial<SyncLimits> = {}): Promise<GitSync> {
    const sync = await startGitSyncProgram({
      record: this.record,
      bundles: createBundleStore(this.record, this.cipher),
      wakeUps: this.wakeUps,
      log: createLog({ app: 'test', level: 'silent' }),
      workDir: join(this.repository.root, `work-${this.running.length}`),
      repositories: [{ name: FLEET_REPOSITORY, url: this.repository.dir, ref: 'main' }],
      credentials: { repositoryCredentials: async () => null },
      pollMs,
      limits: { ...syncLimits(loadConfiguration(settings, {})), ...limits },
    });
    this.running.push(sync);
    return sync;
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map((sync) => sync.stop()));
  }

  sync(): Promise<RepositoryRecord> {
    return this.fleet.syncRepository(FLEET_REPOSITORY, {}, ADMIN);
  }

  release(name: string, revision: string | null): Promise<NonNullable<SyncRequest['answer']>> {
    return ask(this.record, { repository: FLEET_REPOSITORY, kind: 'release', application: name, revision });
  }

  async inForce(): Promise<FleetSnapshot> {
    return (await this.record.sync.snapshot(FLEET_REPOSITORY))?.model as FleetSnapshot;
  }

  /** What the ConfigMap of an application's newest release holds on every cluster. */
  async data(name: string): Promise<unknown> {
    const release = await this.record.sync.newestRelease(name);
    const [digest, other] = new Set(Object.values(release?.bundles ?? {}));
    if (digest === undefined || other !== undefined) throw new Error(`clusters differ: ${digest}, ${other}`);
    const [object] = await createBundleStore(this.record, this.cipher).load(digest);
    return (object?.['data'] as { readonly value?: unknown } | undefined)?.value;
  }

  async events(type: string): Promise<readonly string[]> {
    await this.record.audit.seal(1_000);
    const events = await this.record.audit.after(0, 1_000);
    return events.filter((event) => event.type === type).map(({ message }) => message);
  }
}
