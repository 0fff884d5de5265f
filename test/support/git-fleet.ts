import type { TestbedCluster } from '@breakwater/testing';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

export interface FleetCommit {
  readonly version: string;
  /** The image cannot be pulled on these clusters. */
  readonly brokenOn?: readonly string[];
  /** Clusters that are in Git; default: all. */
  readonly members?: readonly string[];
  /** No commit before this one is in Git any more. */
  readonly alone?: boolean;
  /** Word in the image: how its pods behave. */
  readonly behaviour?: string;
}

/** Real API servers `c0`, `c1`, … as a fleet in a real Git repository, with a directory of credentials. */
export class GitFleet {
  readonly home: string;
  readonly clusters: readonly TestbedCluster[];
  readonly #roles: Readonly<Record<string, string>>;
  #branches = 0;

  private constructor(home: string, clusters: readonly TestbedCluster[], roles: Readonly<Record<string, string>>) {
    this.home = home;
    this.clusters = clusters;
    this.#roles = roles;
  }

  static async create(clusters: readonly TestbedCluster[], roles: Readonly<Record<string, string>>): Promise<GitFleet> {
    const home = await mkdtemp(join(tmpdir(), 'breakwater-e2e-'));
    // The embedded PostgreSQL runs as another user when the tests run as root.
    await chmod(home, 0o711);
    const fleet = new GitFleet(home, clusters, roles);
    await mkdir(fleet.repository);
    await mkdir(fleet.credentials, { mode: 0o700 });
    for (const [index, cluster] of clusters.entries()) {
      await writeFile(join(fleet.credentials, `c${index}.kubeconfig`), cluster.kubeconfig, { mode: 0o600 });
    }
    await fleet.git('init', '--quiet', '--initial-branch=main');
    return fleet;
  }

  get repository(): string {
    return join(this.home, 'fleet');
  }

  get credentials(): string {
    return join(this.home, 'credentials');
  }

  get data(): string {
    return join(this.home, 'data');
  }

  get names(): readonly string[] {
    return this.clusters.map((_, index) => `c${index}`);
  }

  /** Returns the commit. */
  async commit(wanted: FleetCommit): Promise<string> {
    if (wanted.alone === true) {
      this.#branches += 1;
      await this.git('checkout', '--quiet', '--orphan', `anew-${this.#branches}`);
    }
    await this.#write('fleet.yaml', this.#documents(wanted));
    await this.#write('apps/web/objects.yaml', objectsOf(wanted.version));
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '-m', `version ${wanted.version}`);
    if (wanted.alone === true) {
      await this.git('branch', '-M', 'main');
      await this.git('reflog', 'expire', '--expire=now', '--all');
      await this.git('gc', '--quiet', '--prune=now');
    }
    return (await this.git('rev-parse', 'HEAD')).trim();
  }

  async #write(path: string, text: string): Promise<void> {
    const file = join(this.repository, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  #documents({ version, brokenOn = [], members = this.names, behaviour }: FleetCommit): string {
    const word = behaviour === undefined ? version : `${version}-${behaviour}`;
    const clusters = members.map(
      (name) => `---
apiVersion: breakwater.dev/v1alpha1
kind: Cluster
metadata: { name: ${name}, labels: { role: ${this.#roles[name] ?? 'other'} } }
spec: { region: eu-west, values: { tag: "${brokenOn.includes(name) ? `broken-${version}` : word}" } }
`,
    );
    const strategy = (name: string, budget: number): string => `---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: ${name} }
spec:
  waves:
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } }, maxConcurrent: 100%, failureBudget: ${budget} }
    - { name: rest, maxConcurrent: 100% }
  gates:
    - { name: workloads-ready, workloads: { timeout: 60s, stableFor: 1s, failFast: 1s } }
`;
    return `apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: staged }
---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec: { fleet: shop, source: { path: apps/web, substitute: true } }
${strategy('staged', 0)}${strategy('tolerant', 1)}${clusters.join('')}`;
  }

  async git(...args: string[]): Promise<string> {
    const person = { NAME: 'A Developer', EMAIL: 'developer@shop.example' };
    const { stdout } = await run('git', args, {
      cwd: this.repository,
      env: {
        PATH: process.env['PATH'],
        HOME: this.home,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: person.NAME,
        GIT_AUTHOR_EMAIL: person.EMAIL,
        GIT_COMMITTER_NAME: person.NAME,
        GIT_COMMITTER_EMAIL: person.EMAIL,
      },
    });
    return stdout;
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }
}

const objectsOf = (version: string): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { version: "${version}" }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: of-${version} }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [ { port: 80 } ] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: main, image: "shop/web:\${tag}" } ] }
`;

export interface CommandAnswer {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** The command line as a person or a script starts it. */
export const breakwater = (
  environment: { readonly url: string; readonly token: string },
  ...args: string[]
): Promise<CommandAnswer> =>
  new Promise((resolve) => {
    const { NODE_OPTIONS: _options, ...inherited } = process.env;
    execFile(
      process.execPath,
      [join(ROOT, 'dist/apps/cli/main.mjs'), ...args],
      { env: { ...inherited, BREAKWATER_URL: environment.url, BREAKWATER_TOKEN: environment.token } },
      (error, out, err) => resolve({ status: error === null ? 0 : Number(error.code ?? 1), out, err }),
    );
  });
