import type { KubeObject } from '@breakwater/domain';
import type { SimulatedCluster } from '@breakwater/simulator';

export interface Holder {
  readonly rollout: string;
  readonly epoch: number;
  readonly open: boolean;
  /** The rollout's first epoch on the cluster: it goes forward. */
  readonly first: boolean;
}

/** A change of an application's object, and who held the cluster's fence at that moment. */
export interface Change {
  readonly cluster: string;
  readonly what: string;
  readonly version: string;
  readonly holder: Holder | undefined;
}

/** What the servers themselves saw, in the order in which it happened in each. */
export class Witness {
  readonly changes: Change[] = [];
  readonly wrong: string[] = [];
  /**
   * The most clusters at once that one rollout had in flight: their fence open, or their workload not ready yet. Clusters that were cut off
   * do not count.
   */
  mostInFlight = 0;
  readonly #holders = new Map<string, Holder>();
  readonly #unready = new Set<string>();
  readonly #inFlight = new Map<string, Set<string>>();
  readonly #disturbed = new Set<string>();
  readonly #versions = new Map<string, string>();

  watch(cluster: SimulatedCluster): void {
    cluster.store.subscribe((event) => {
      const object = event.object as unknown as KubeObject;
      const { namespace, name } = object.metadata;
      if (namespace === 'breakwater-system' && name === 'web') this.#fence(cluster.name, object, event.type);
      else if (namespace === 'web') this.#object(cluster.name, object, event.type);
    });
  }

  disturb(cluster: string): void {
    this.#disturbed.add(cluster);
    this.#count(cluster);
  }

  #fence(cluster: string, object: KubeObject, type: string): void {
    if (type === 'DELETED') {
      this.#holders.delete(cluster);
      return this.#count(cluster);
    }
    const { rollout = '', epoch, state } = object['data'] as Readonly<Record<string, string>>;
    const before = this.#holders.get(cluster);
    const same = before?.epoch === Number(epoch);
    const first = same ? before.first : before?.rollout !== rollout;
    if (before !== undefined && Number(epoch) < before.epoch) {
      this.wrong.push(`${cluster}: the fence went back from epoch ${before.epoch} to ${epoch}`);
    }
    if (same && before.rollout !== rollout) this.wrong.push(`${cluster}: two rollouts had epoch ${epoch}`);
    this.#holders.set(cluster, { rollout, epoch: Number(epoch), open: state === 'open', first });
    this.#count(cluster);
  }

  #count(cluster: string): void {
    const holder = this.#holders.get(cluster);
    for (const clusters of this.#inFlight.values()) clusters.delete(cluster);
    if (holder?.first !== true || this.#disturbed.has(cluster)) return;
    if (!holder.open && !this.#unready.has(cluster)) return;
    const mine = this.#inFlight.get(holder.rollout) ?? new Set();
    this.#inFlight.set(holder.rollout, mine.add(cluster));
    this.mostInFlight = Math.max(this.mostInFlight, mine.size);
  }

  #object(cluster: string, object: KubeObject, type: string): void {
    if (object.kind === 'Deployment') {
      if (type !== 'DELETED' && isUnready(object)) this.#unready.add(cluster);
      else this.#unready.delete(cluster);
      this.#count(cluster);
    }
    const version = versionOf(object);
    if (version === null) return;
    const what = `${object.kind}/${object.metadata.name}`;
    const key = `${cluster} ${what}`;
    // Controllers write status: no change of ours.
    if (type !== 'DELETED' && this.#versions.get(key) === version) return;
    if (type === 'DELETED') this.#versions.delete(key);
    else this.#versions.set(key, version);
    this.changes.push({ cluster, what: `${type} ${what}`, version, holder: this.#holders.get(cluster) });
  }
}

const imageOf = (deployment: KubeObject): string => {
  const { template } = deployment['spec'] as { template: { spec: { containers: { image: string }[] } } };
  return template.spec.containers[0]?.image ?? '';
};

/** On its way to be ready. What never gets there is not in flight, but failed, and no server knows when that was found out. */
const isUnready = (deployment: KubeObject): boolean => {
  if (imageOf(deployment).includes('broken')) return false;
  const { observedGeneration, updatedReplicas, availableReplicas } = (deployment['status'] ?? {}) as Readonly<
    Record<string, number | undefined>
  >;
  return observedGeneration !== deployment.metadata.generation || updatedReplicas !== 1 || availableReplicas !== 1;
};

const versionOf = (object: KubeObject): string | null => {
  if (object.kind === 'ConfigMap') return (object['data'] as { version?: string } | undefined)?.version ?? null;
  if (object.kind !== 'Deployment') return null;
  return imageOf(object).replace(/^shop\/web:(broken-)?/, '');
};
