import type { KubeObject } from '@breakwater/domain';
import type { AuditEntry, TestbedCluster } from '@breakwater/testing';
import { untilControllersWork } from '../../support/live-objects.ts';
import { type LineFault, WriteGate } from '../../support/write-gate.ts';
import { type CampaignCluster, type Held, isHeldBack, type Outage, STRANGER } from './campaign-cluster.ts';
import { contentOfLive, isReady, versionOf } from './content.ts';
import type { Landing } from './evidence.ts';
import { fenceOf } from './simulated-campaign-cluster.ts';

const LINES: Readonly<Partial<Record<Outage, LineFault>>> = {
  'cut off': 'hang',
  refuse: 'refuse',
  'lose answers': 'lose-answer',
};

const COLLECTIONS = [
  '/api/v1/namespaces/web/configmaps',
  '/api/v1/namespaces/web/persistentvolumeclaims',
  '/apis/apps/v1/namespaces/web/deployments',
];
const STRANGER_PATH = '/api/v1/namespaces/web/configmaps/stranger';

/** A write as the audit log has it; null: it changed nothing, or is none of the application's business. */
export const landingOf = (cluster: string, entry: AuditEntry): Landing | null => {
  const { verb, resource, namespace, name, code, receivedAt, completedAt, requestObject } = entry;
  if (code < 200 || code >= 300 || entry.subresource !== '') return null;
  const isFence = resource === 'configmaps' && namespace === 'breakwater-system' && name === 'web';
  const isNamespace = resource === 'namespaces' && verb === 'delete';
  if (!isFence && namespace !== 'web' && !isNamespace) return null;
  return {
    cluster,
    receivedAt,
    landedAt: completedAt,
    verb: verb === 'delete' ? 'delete' : code === 201 ? 'create' : 'write',
    object: `${resource}/${isNamespace ? '' : namespace}/${name}`,
    version: isFence || verb === 'delete' ? null : versionOf(requestObject),
    fence: isFence && verb !== 'delete' ? fenceOf((requestObject as { data?: unknown } | undefined)?.data) : null,
  };
};

/** A real control plane, reached by Breakwater through a line that can be broken; its audit log is the evidence. */
export class RealCampaignCluster implements CampaignCluster {
  readonly name: string;
  readonly #cluster: TestbedCluster;
  readonly #gate: WriteGate;
  #since = 0;
  #stranger = '';
  #wasAway = false;

  private constructor(name: string, cluster: TestbedCluster, gate: WriteGate) {
    this.name = name;
    this.#cluster = cluster;
    this.#gate = gate;
  }

  static async of(name: string, cluster: TestbedCluster): Promise<RealCampaignCluster> {
    return new RealCampaignCluster(name, cluster, await WriteGate.before(cluster));
  }

  /** For Breakwater. */
  get kubeconfig(): string {
    return this.#gate.kubeconfig;
  }

  async disturb(outage: Outage): Promise<() => Promise<void>> {
    const line = LINES[outage];
    if (line !== undefined) {
      const mend = this.#gate.break(line);
      return async () => mend();
    }
    this.#wasAway = true;
    if (outage === 'freeze an API server') {
      await this.#cluster.freeze();
      return () => this.#cluster.thaw();
    }
    await this.#cluster.kill();
    return () => this.#cluster.restart();
  }

  hold(): Held {
    const { reached, land } = this.#gate.hold('hang', isHeldBack);
    let caught = false;
    void reached.then(() => (caught = true));
    return { caught: () => caught, land };
  }

  async putStranger(): Promise<void> {
    await this.#cluster.request('POST', STRANGER_PATH.slice(0, STRANGER_PATH.lastIndexOf('/')), STRANGER);
    this.#stranger = await this.#strangerNow();
  }

  async forget(): Promise<void> {
    this.#since = Date.now();
  }

  async landings(): Promise<readonly Landing[]> {
    const log = await this.#cluster.auditLog({ user: 'breakwater', writesOnly: true });
    return log
      .filter(({ receivedAt }) => receivedAt >= this.#since)
      .map((entry) => landingOf(this.name, entry))
      .filter((landing) => landing !== null);
  }

  async recovered(): Promise<void> {
    if (this.#wasAway) await untilControllersWork(this.#cluster);
    this.#wasAway = false;
  }

  async end(): ReturnType<CampaignCluster['end']> {
    const kinds = ['ConfigMap', 'PersistentVolumeClaim', 'Deployment'];
    const lists = await Promise.all(
      COLLECTIONS.map(async (path, index) => {
        const { items } = await this.#cluster.get<{ items: KubeObject[] }>(path);
        // Objects in a list do not say their kind.
        return items.map((object) => ({ ...object, kind: kinds[index] ?? '' }));
      }),
    );
    const objects = lists.flat() as readonly KubeObject[];
    const deployment = objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'web');
    return {
      content: contentOfLive(objects),
      ready: isReady(deployment),
      stranger: { before: this.#stranger, now: await this.#strangerNow() },
    };
  }

  async #strangerNow(): Promise<string> {
    const { body } = await this.#cluster.request('GET', STRANGER_PATH);
    const { uid, resourceVersion } = (body as Partial<KubeObject>).metadata ?? {};
    return `${uid ?? 'gone'} ${resourceVersion ?? ''}`;
  }
}
