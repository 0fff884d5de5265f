import { randomBytes } from 'node:crypto';
import { ApiServer } from './api/api-server.ts';
import type { PolicyRule } from './api/access.ts';
import { FaultBoard } from './faults.ts';
import type { Fault, RequestClass } from './faults.ts';
import { kubeconfigText } from './kubeconfig.ts';
import type { KubeObject } from './object.ts';
import { ObjectStore } from './store/object-store.ts';
import { seedCluster } from './seed.ts';
import { Workloads } from './workloads/workloads.ts';
import type { WorkloadSettings } from './workloads/settings.ts';
import { workloadSettings } from './workloads/settings.ts';
import { WriteLog } from './write-log.ts';
import type { WriteRecord } from './write-log.ts';

export interface ClusterOptions {
  readonly name: string;
  /** Default `v1.35.8-simulated`; always marked as simulated. */
  readonly version?: string;
  /** Added to every answer, in ms; default 0. */
  readonly latencyMs?: number;
  /** How workloads get on; `false` runs no controllers at all. */
  readonly workloads?: Partial<WorkloadSettings> | false;
  /** A port of its own, so that refusing connections is real; default: the fleet's port, and a path. */
  readonly ownPort?: boolean;
  /** How often a watch with bookmarks gets one, in ms; default 10 s. */
  readonly bookmarkMs?: number;
  /** The bearer token of the cluster's administrator; default random. */
  readonly token?: string;
}

export interface ClusterAddress {
  /** URL of the API server, with its path. */
  readonly server: string;
  /** PEM; undefined for plain HTTP. */
  readonly ca: string | undefined;
}

/** One simulated Kubernetes cluster: its objects, its API, its controllers, its faults. */
export class SimulatedCluster {
  readonly name: string;
  readonly token: string;
  readonly store = new ObjectStore();
  readonly api: ApiServer;
  readonly faults = new FaultBoard();
  readonly log = new WriteLog();
  latencyMs: number;
  readonly #address: ClusterAddress;
  readonly #workloads: Workloads | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #watches = new Set<() => void>();
  readonly #counts: Record<RequestClass, number> = { read: 0, write: 0, watch: 0 };
  readonly #onFault: (refusing: boolean) => void;
  #stopped = false;

  /** @param onFault told whether connections shall be refused, for clusters with a port of their own */
  constructor(
    options: ClusterOptions,
    address: ClusterAddress,
    onFault: (refusing: boolean) => void = () => undefined,
  ) {
    this.name = options.name;
    this.token = options.token ?? randomBytes(24).toString('base64url');
    this.latencyMs = options.latencyMs ?? 0;
    this.#address = address;
    this.#onFault = onFault;
    const version = options.version ?? 'v1.35.8';
    this.api = new ApiServer({
      store: this.store,
      gitVersion: version.includes('simulated') ? version : `${version}-simulated`,
      later: (work, ms) => this.later(work, ms),
      bookmarkMs: options.bookmarkMs ?? 10_000,
    });
    this.api.addUser(this.token, { name: 'admin', groups: ['system:masters', 'system:authenticated'] });
    seedCluster(this.store, address.ca ?? '', (work, ms) => this.later(work, ms), this.api.registry);
    if (options.workloads !== false) {
      const later = (work: () => void, ms?: number): void => this.later(work, ms);
      this.#workloads = new Workloads(
        this.api.lifecycle,
        this.api.deletion,
        later,
        workloadSettings(options.workloads ?? {}),
      );
    }
  }

  get server(): string {
    return this.#address.server;
  }

  /** YAML (JSON) with the administrator's token. */
  get kubeconfig(): string {
    return kubeconfigText(this.name, this.#address.server, this.#address.ca, this.token);
  }

  /** A kubeconfig for another user, who may do only what the rules and the cluster's own bindings say. */
  kubeconfigFor(user: string, rules: readonly PolicyRule[] = []): string {
    return kubeconfigText(this.name, this.#address.server, this.#address.ca, this.tokenFor(user, rules));
  }

  /** A bearer token for another user. */
  tokenFor(user: string, rules: readonly PolicyRule[] = []): string {
    const token = randomBytes(24).toString('base64url');
    this.api.addUser(token, { name: user, groups: ['system:authenticated'] }, rules);
    return token;
  }

  /** The uid of kube-system: the cluster's identity. */
  get uid(): string {
    return this.store.get({ key: 'namespaces' }, undefined, 'kube-system')?.metadata.uid ?? '';
  }

  /** The objects as they are now, of all kinds or of one (`deployments.apps`, `configmaps`), in list order. */
  objects(kind?: string, namespace?: string): readonly KubeObject[] {
    const kinds = kind === undefined ? this.store.kinds() : [kind];
    return kinds.flatMap((key) => this.store.list({ key }, namespace));
  }

  object(kind: string, namespace: string | undefined, name: string): KubeObject | undefined {
    return this.store.get({ key: kind }, namespace, name);
  }

  /** Every mutating request that was received, oldest first. */
  writes(): readonly WriteRecord[] {
    return this.log.all();
  }

  clearWrites(): void {
    this.log.clear();
  }

  requestCounts(): Readonly<Record<RequestClass, number>> {
    return { ...this.#counts };
  }

  /** Makes the API server misbehave. @returns lifts the fault */
  fault(fault: Fault): () => void {
    const lift = this.faults.add(fault);
    if (fault.kind === 'refuse' && !fault.only && !fault.match && fault.times === undefined) {
      this.#onFault(true);
      this.endWatches();
      return () => {
        lift();
        this.#onFault(false);
      };
    }
    return lift;
  }

  /** Lifts every fault. */
  recover(): void {
    this.faults.clear();
    this.#onFault(false);
  }

  /** Ends every open watch, as a restarted API server does. */
  endWatches(): void {
    for (const end of [...this.#watches]) end();
  }

  /** Forgets the history, so that watches and continued lists from before are told 410. */
  compact(): void {
    this.store.history.compact();
  }

  count(kind: RequestClass): void {
    this.#counts[kind] += 1;
  }

  trackWatch(end: () => void): () => void {
    this.#watches.add(end);
    return () => this.#watches.delete(end);
  }

  later(work: () => void, ms = 0): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped) work();
    }, ms);
    timer.unref();
    this.#timers.add(timer);
  }

  stop(): void {
    this.#stopped = true;
    this.#workloads?.stop();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    this.endWatches();
    this.faults.clear();
  }
}
