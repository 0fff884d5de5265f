import { stringAt } from '../object.ts';
import type { KubeObject } from '../object.ts';
import { randomSuffix, resourceOf, timestamp } from '../api/object-lifecycle.ts';
import type { ObjectStore } from '../store/object-store.ts';

const eventResource = resourceOf('events');
const capacity = 200;

/** Events of a cluster; the oldest give way. */
export class EventRecorder {
  readonly #store: ObjectStore;
  #names: (readonly [string, string])[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  record(about: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const namespace = about.metadata.namespace ?? 'default';
    const name = `${about.metadata.name}.${randomSuffix(10)}`;
    const now = timestamp();
    this.#store.create(eventResource, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, creationTimestamp: now },
      involvedObject: {
        kind: about.kind,
        namespace,
        name: about.metadata.name,
        uid: about.metadata.uid ?? '',
        apiVersion: about.apiVersion,
        resourceVersion: stringAt(about, 'metadata', 'resourceVersion') ?? '',
      },
      reason,
      message,
      type,
      count: 1,
      firstTimestamp: now,
      lastTimestamp: now,
      source: { component: 'kubelet', host: 'simulated-node' },
      reportingComponent: 'kubelet',
      reportingInstance: 'simulated-node',
    });
    this.#names.push([namespace, name]);
    if (this.#names.length <= capacity) return;
    const gone = this.#names.slice(0, capacity / 2);
    this.#names = this.#names.slice(capacity / 2);
    for (const [where, old] of gone) {
      const found = this.#store.get(eventResource, where, old);
      if (found) this.#store.remove(eventResource, found);
    }
  }
}
