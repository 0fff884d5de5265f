import type { KubeObject } from '@breakwater/domain';
import type { SimulatedCluster } from '@breakwater/simulator';
import { type CampaignCluster, type Held, isHeldBack, type Outage, STRANGER } from './campaign-cluster.ts';
import { contentOfLive, isReady, versionOf } from './content.ts';
import type { FenceState, Landing } from './evidence.ts';

const OF_THE_APPLICATION = new Set(['configmaps', 'deployments.apps', 'persistentvolumeclaims']);

/** What only Breakwater writes: controllers move status and their own annotations. */
const signatureOf = (object: KubeObject): string => {
  const annotations = Object.entries(object.metadata.annotations ?? {});
  const ours = annotations.filter(([key]) => key.startsWith('breakwater.dev/'));
  return JSON.stringify([versionOf(object), object['data'], object.metadata.labels, ours]);
};

export const fenceOf = (data: unknown): FenceState => {
  const { rollout = '', epoch = '0', state } = (data ?? {}) as Readonly<Record<string, string | undefined>>;
  return { rollout, epoch: Number(epoch), open: state === 'open' };
};

/** Every event of the store is a write that has landed, in the order in which they did. */
export class SimulatedCampaignCluster implements CampaignCluster {
  readonly #cluster: SimulatedCluster;
  readonly #signatures = new Map<string, string>();
  #landings: Landing[] = [];
  #lastAt = 0;
  #stranger = '';

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
    cluster.store.subscribe(({ type, resource, object, previous }) =>
      this.#see(type, resource.key, object as unknown as KubeObject, versionOf(previous)),
    );
  }

  get name(): string {
    return this.#cluster.name;
  }

  async disturb(outage: Outage): Promise<() => Promise<void>> {
    const lift = this.#cluster.fault(
      outage === 'lose answers'
        ? { kind: 'lose-answer', only: ['write'] }
        : { kind: outage === 'refuse' ? 'refuse' : 'hang' },
    );
    return async () => lift();
  }

  hold(): Held {
    let held: object | null = null;
    const lift = this.#cluster.fault({
      kind: 'hang',
      // The same request is asked about again whenever another fault ends.
      match: (request) => {
        if (held === null && request.query.get('dryRun') === null && isHeldBack(request)) held = request;
        return held === request;
      },
    });
    return { caught: () => held !== null, land: async () => lift() };
  }

  async putStranger(): Promise<void> {
    this.#cluster.api.answer({
      method: 'POST',
      path: '/api/v1/namespaces/web/configmaps',
      query: new URLSearchParams(),
      contentType: 'application/json',
      accept: 'application/json',
      userAgent: 'a-colleague',
      authorization: `Bearer ${this.#cluster.token}`,
      body: Buffer.from(JSON.stringify(STRANGER)),
    });
    this.#stranger = this.#strangerNow();
  }

  async forget(): Promise<void> {
    this.#landings = [];
  }

  async landings(): Promise<readonly Landing[]> {
    return this.#landings;
  }

  async recovered(): Promise<void> {
    // Its controllers run in this process, and were never away.
  }

  async end(): ReturnType<CampaignCluster['end']> {
    const objects = [...OF_THE_APPLICATION].flatMap((kind) => this.#cluster.objects(kind, 'web'));
    const deployment = this.#cluster.object('deployments.apps', 'web', 'web');
    return {
      content: contentOfLive(objects as readonly unknown[] as readonly KubeObject[]),
      ready: isReady(deployment as unknown as KubeObject | undefined),
      stranger: { before: this.#stranger, now: this.#strangerNow() },
    };
  }

  #strangerNow(): string {
    const { uid, resourceVersion } = this.#cluster.object('configmaps', 'web', 'stranger')?.metadata ?? {};
    return `${uid ?? 'gone'} ${resourceVersion ?? ''}`;
  }

  #see(type: 'ADDED' | 'MODIFIED' | 'DELETED', kind: string, object: KubeObject, before: string | null): void {
    const { namespace = '', name } = object.metadata;
    const isFence = kind === 'configmaps' && namespace === 'breakwater-system' && name === 'web';
    const ofApplication = namespace === 'web' && OF_THE_APPLICATION.has(kind) && name !== 'kube-root-ca.crt';
    const isNamespace = kind === 'namespaces' && name === 'web' && type === 'DELETED';
    if (!isFence && !ofApplication && !isNamespace) return;
    if (!this.#changed(type, kind, object)) return;
    const at = this.#now();
    this.#landings.push({
      cluster: this.name,
      receivedAt: at,
      landedAt: at,
      verb: type === 'ADDED' ? 'create' : type === 'DELETED' ? 'delete' : 'write',
      object: `${kind.split('.')[0]}/${namespace}/${name}`,
      // The mark of a take-over says nothing of a version; the store tells whole objects.
      version: isFence || type === 'DELETED' || versionOf(object) === before ? null : versionOf(object),
      fence: isFence && type !== 'DELETED' ? fenceOf(object['data']) : null,
    });
  }

  #changed(type: string, kind: string, object: KubeObject): boolean {
    const key = `${kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
    const signature = signatureOf(object);
    const same = type === 'MODIFIED' && this.#signatures.get(key) === signature;
    if (type === 'DELETED') this.#signatures.delete(key);
    else this.#signatures.set(key, signature);
    return !same;
  }

  /** Two events of one millisecond keep their order. */
  #now(): number {
    this.#lastAt = Math.max(Date.now(), this.#lastAt + 0.001);
    return this.#lastAt;
  }
}
