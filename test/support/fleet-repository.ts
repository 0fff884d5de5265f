import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const WAVES = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, maxConcurrent: 100% }`;

/** Objects of every version beside what only a version has: enough requests for a kill to fall between two of them. */
const SHARED_OBJECTS = 4;

export interface FleetWords {
  /** YAML under `waves:` */
  readonly waves?: string;
  /** Further YAML of the Strategy's `spec`. */
  readonly strategy?: string;
  /** By cluster; default: the first one is `canary`, the rest `other`. */
  readonly roles?: ReadonlyMap<string, string>;
  /** By cluster; default: each is its own. */
  readonly failureDomains?: ReadonlyMap<string, string>;
}

export interface VersionWords {
  /** In the image on the clusters in `brokenOn`; default: it cannot be pulled. */
  readonly behaviour?: string;
  /** How many of the objects that versions share this one has; default: all. */
  readonly settings?: number;
  /** With a PersistentVolumeClaim `data`. */
  readonly claim?: boolean;
  /** YAML under `waves:`; default: the fleet's. */
  readonly waves?: string;
  /** Of the workloads gate; default: 60s. */
  readonly timeout?: string;
}

/**
 * A Git repository with a fleet of the clusters, the first of them with the role canary. Versions are commits that differ in every
 * object and bring and take away one each.
 */
export class FleetRepository {
  readonly #home: string;
  readonly #clusters: readonly string[];
  readonly #words: FleetWords;

  private constructor(home: string, clusters: readonly string[], words: FleetWords) {
    this.#home = home;
    this.#clusters = clusters;
    this.#words = words;
  }

  static async create(home: string, clusters: readonly string[], words: FleetWords = {}): Promise<FleetRepository> {
    const repository = new FleetRepository(home, clusters, words);
    await mkdir(repository.path);
    await repository.#git('init', '--quiet', '--initial-branch=main');
    return repository;
  }

  get path(): string {
    return join(this.#home, 'fleet');
  }

  /**
   * A commit of this version. `brokenOn`: its image cannot be pulled on these clusters. The same version is the same bundle, whatever was
   * committed in between. Returns the commit.
   */
  async commit(version: string, brokenOn: readonly string[] = [], words: VersionWords = {}): Promise<string> {
    const files = new Map<string, string>();
    files.set('fleet.yaml', this.#fleetDocuments(version, brokenOn, words));
    files.set('apps/web/objects.yaml', objectsOf(version, words));
    await rm(join(this.path, 'apps'), { recursive: true, force: true });
    for (const [path, text] of files) {
      const file = join(this.path, path);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, text);
    }
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', '--allow-empty', '-m', `version ${version}`);
    return (await this.#git('rev-parse', 'HEAD')).trim();
  }

  #fleetDocuments(version: string, brokenOn: readonly string[], words: VersionWords): string {
    const { strategy = '', roles, failureDomains } = this.#words;
    const { behaviour = 'broken', timeout = '60s', waves = this.#words.waves ?? WAVES } = words;
    const clusters = this.#clusters.map((name, index) => {
      const role = roles?.get(name) ?? (index === 0 ? 'canary' : 'other');
      const domain = failureDomains?.get(name);
      return `---
apiVersion: breakwater.dev/v1alpha1
kind: Cluster
metadata: { name: ${name}, labels: { role: ${role}, name: ${name} } }
spec: { region: r${index % 4}${domain === undefined ? '' : `, failureDomain: ${domain}`} }
`;
    });
    const variants = brokenOn.map(
      (name) => `{ clusters: { matchLabels: { name: ${name} } }, values: { tag: ${behaviour}-${version} } }`,
    );
    return `apiVersion: breakwater.dev/v1alpha1
kind: Fleet
metadata: { name: shop }
spec: { clusters: { all: true }, strategy: staged }
---
apiVersion: breakwater.dev/v1alpha1
kind: Strategy
metadata: { name: staged }
spec:
  waves:${waves}
  gates:
    - { name: workloads-ready, workloads: { timeout: ${timeout}, stableFor: 1s, failFast: 1s } }
${strategy}---
apiVersion: breakwater.dev/v1alpha1
kind: Application
metadata: { name: web }
spec:
  fleet: shop
  source: { path: apps/web, substitute: true }
  values: { tag: "${version}" }
  variants: [ ${variants.join(', ')} ]
${clusters.join('')}`;
  }

  async #git(...args: string[]): Promise<string> {
    const person = { NAME: 'A Developer', EMAIL: 'developer@shop.example' };
    const { stdout } = await run('git', args, {
      cwd: this.path,
      env: {
        PATH: process.env['PATH'],
        HOME: this.#home,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_AUTHOR_NAME: person.NAME,
        GIT_AUTHOR_EMAIL: person.EMAIL,
        GIT_COMMITTER_NAME: person.NAME,
        GIT_COMMITTER_EMAIL: person.EMAIL,
      },
    });
    return stdout;
  }
}

const objectsOf = (version: string, { settings: shared = SHARED_OBJECTS, claim = false }: VersionWords): string => {
  const settings = Array.from({ length: shared }, (_, index) => `settings-${index}`);
  const configMaps = [...settings, `of-${version}`].map(
    (name) => `apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { version: "${version}" }
---
`,
  );
  return `${configMaps.join('')}${claim ? CLAIM : ''}apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 1
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [ { name: main, image: "shop/web:\${tag}" } ] }
`;
};

const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
---
`;
