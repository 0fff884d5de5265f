import type { KubeObject } from '@breakwater/domain';
import { objectKey } from '@breakwater/domain';
import type { FenceKeeper } from './fence-keeper.ts';
import { SYSTEM_PLACE } from './fence.ts';
import type { KubeApi, Place } from './kube-api.ts';
import type { Leftovers } from './leftovers.ts';
import { isLeaving, leftoversIn } from './leftovers.ts';
import type { ObjectWriter } from './object-writer.ts';
import { wait } from './wait.ts';

const ATTEMPTS = 3;
const POLL_MS = 300;

/** Removes namespaces that Breakwater made, and only when nothing but Kubernetes' own defaults is left in them. */
export class NamespaceRemover {
  readonly #api: KubeApi;
  readonly #writer: ObjectWriter;
  readonly #keeper: FenceKeeper;
  readonly #signal: AbortSignal;

  constructor(api: KubeApi, writer: ObjectWriter, keeper: FenceKeeper, signal: AbortSignal) {
    this.#api = api;
    this.#writer = writer;
    this.#keeper = keeper;
    this.#signal = signal;
  }

  /** Null: gone; else why it was kept. */
  async remove(place: Place, seen: KubeObject): Promise<string | null> {
    let live: KubeObject | null = seen;
    for (let attempt = 0; attempt < ATTEMPTS && live !== null; attempt++) {
      const uid = live.metadata.uid ?? '';
      if (live.metadata.deletionTimestamp === undefined) {
        const { objects, unknown } = await this.#whatStays(place.name);
        if (objects.length > 0) return `NotEmpty: ${objects.slice(0, 5).map(objectKey).join(', ')}`;
        if (unknown.length > 0) return `CannotTell: ${unknown.join(', ')}`;
      }
      if (live.metadata.deletionTimestamp !== undefined || (await this.#writer.delete(place, live))) {
        await this.#writer.awaitGone(place, uid);
        return null;
      }
      live = await this.#api.get(place, this.#signal);
      await this.#keeper.confirm();
    }
    return live === null ? null : 'KeepsChanging';
  }

  /** `breakwater-system`, when it is ours and the last fence has left it. Its version is read before its content: see FenceKeeper. */
  async removeSystem(): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const live = await this.#api.get(SYSTEM_PLACE, this.#signal);
      if (live?.metadata.labels?.['app.kubernetes.io/managed-by'] !== 'breakwater') return;
      if (live.metadata.deletionTimestamp !== undefined) return;
      const { objects, unknown } = await this.#whatStays(SYSTEM_PLACE.name);
      if (objects.length > 0 || unknown.length > 0) return;
      if (!(await this.#writer.delete(SYSTEM_PLACE, live))) continue;
      await this.#writer.awaitGone(SYSTEM_PLACE, live.metadata.uid ?? '');
      return;
    }
  }

  /** Waits for what is leaving by itself; the rest stays. */
  async #whatStays(namespace: string): Promise<Leftovers> {
    const deadline = Date.now() + this.#api.timeouts.deletion;
    for (;;) {
      const left = await leftoversIn(this.#api, namespace, this.#signal);
      const { objects } = left;
      if (objects.length === 0 || objects.some((object) => !isLeaving(object)) || Date.now() > deadline) return left;
      await wait(POLL_MS, this.#signal);
    }
  }
}
