import type { KubeObject } from '../object.ts';
import type { Resource } from '../schema/resource-table.ts';

export interface StoreEvent {
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

const capacity = 1_000;

/**
 * What happened lately, for watches that start from a resource version. Older events are dropped by number, and by
 * {@link EventHistory.compact}, as etcd's compaction does; a watch from before then is told 410.
 */
export class EventHistory {
  #events: StoreEvent[] = [];
  #compacted = 0;
  #seen = 0;

  /** Watches and lists must not start from an earlier revision. */
  get oldest(): number {
    return this.#compacted;
  }

  add(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length > capacity) this.#drop(capacity / 2);
  }

  /** Events after a revision, oldest first; undefined when some of them are gone. */
  since(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#compacted) return undefined;
    return this.#events.filter((event) => event.revision > revision);
  }

  /** Forgets everything that has happened until now. */
  compact(): void {
    this.#drop(this.#events.length);
  }

  /** Called at intervals: forgets what was already there at the call before. */
  age(): void {
    this.#drop(Math.min(this.#seen, this.#events.length));
    this.#seen = this.#events.length;
  }

  #drop(count: number): void {
    const last = this.#events[count - 1];
    if (!last) return;
    this.#compacted = last.revision;
    this.#events = this.#events.slice(count);
    this.#seen = Math.max(0, this.#seen - count);
  }
}
