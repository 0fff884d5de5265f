import type { Deletion, Later } from '../api/deletion.ts';
import type { ObjectLifecycle } from '../api/object-lifecycle.ts';
import type { KubeObject } from '../object.ts';
import { builtinByKey } from '../schema/resource-table.ts';
import type { Resource } from '../schema/resource-table.ts';
import type { StoreEvent } from '../store/event-history.ts';
import { objectKey } from '../store/object-store.ts';
import { podResource } from './controller.ts';
import type { ControllerContext, Reconcile } from './controller.ts';
import { daemonSetResource, reconcileDaemonSet } from './daemon-set.ts';
import { deploymentResource, reconcileDeployment } from './deployment.ts';
import { EventRecorder } from './event-recorder.ts';
import { jobResource, reconcileJob } from './job.ts';
import { startPod, stopPod } from './pods.ts';
import { reconcileReplicaSet, replicaSetResource } from './replica-set.ts';
import type { WorkloadSettings } from './settings.ts';
import {
  budgetResource,
  claimResource,
  reconcileBudget,
  reconcileClaim,
  reconcileService,
  serviceResource,
} from './small-controllers.ts';
import { reconcileStatefulSet, statefulSetResource } from './stateful-set.ts';

const reconcilers: ReadonlyMap<Resource, Reconcile> = new Map<Resource, Reconcile>([
  [deploymentResource, reconcileDeployment],
  [replicaSetResource, reconcileReplicaSet],
  [statefulSetResource, reconcileStatefulSet],
  [daemonSetResource, reconcileDaemonSet],
  [jobResource, reconcileJob],
  [claimResource, reconcileClaim],
  [serviceResource, reconcileService],
  [budgetResource, reconcileBudget],
]);

const ownerKinds: Readonly<Record<string, Resource | undefined>> = {
  Deployment: builtinByKey.get('deployments.apps'),
  ReplicaSet: builtinByKey.get('replicasets.apps'),
  StatefulSet: builtinByKey.get('statefulsets.apps'),
  DaemonSet: builtinByKey.get('daemonsets.apps'),
  Job: builtinByKey.get('jobs.batch'),
};

/** The controllers of one cluster: every change of an object has its kind, and its owner, looked at. */
export class Workloads {
  readonly #context: ControllerContext;
  readonly #pending = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(lifecycle: ObjectLifecycle, deletion: Deletion, later: Later, settings: WorkloadSettings) {
    const events = new EventRecorder(lifecycle.store);
    this.#context = {
      lifecycle,
      deletion,
      later,
      settings,
      enqueue: (resource, key, ms) => this.#enqueue(resource, key, ms),
      event: (about, type, reason, message) => events.record(about, type, reason, message),
    };
    this.#unsubscribe = lifecycle.store.subscribe((event) => this.#observe(event));
  }

  stop(): void {
    this.#unsubscribe();
  }

  #observe(event: StoreEvent): void {
    const { resource, object, type } = event;
    if (reconcilers.has(resource) && type !== 'DELETED') this.#enqueue(resource, keyOf(object));
    if (resource === podResource) this.#observePod(event);
    if (resource !== podResource && resource !== replicaSetResource) return;
    for (const owner of object.metadata.ownerReferences ?? []) {
      const kind = ownerKinds[owner.kind];
      if (kind) this.#enqueue(kind, objectKey(object.metadata.namespace, owner.name));
    }
  }

  #observePod({ object, previous, type }: StoreEvent): void {
    if (type === 'ADDED') startPod(this.#context, object);
    const goes = object.metadata.deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined;
    if (type === 'MODIFIED' && goes) stopPod(this.#context, object);
    for (const budget of this.#context.lifecycle.store.list(budgetResource, object.metadata.namespace)) {
      this.#enqueue(budgetResource, keyOf(budget));
    }
  }

  #enqueue(resource: Resource, key: string, ms = 0): void {
    const id = `${resource.key} ${key}`;
    if (ms === 0) {
      if (this.#pending.has(id)) return;
      this.#pending.add(id);
    }
    this.#context.later(() => {
      if (ms === 0) this.#pending.delete(id);
      const object = this.#context.lifecycle.store.byKey(resource.key, key);
      if (object) reconcilers.get(resource)?.(this.#context, object, key);
    }, ms);
  }
}

function keyOf(object: KubeObject): string {
  return objectKey(object.metadata.namespace, object.metadata.name);
}
