import type { Session } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { cutOff, fenced, refused } from './ended.ts';
import type { Fence, HeldFence } from './fence.ts';
import { fenceBody, fencePlace, heldFence, isOurs, readFence, SYSTEM_PLACE, TOUCHED_ANNOTATION } from './fence.ts';
import type { KubeApi } from './kube-api.ts';
import { collectionPath, CONFIG_MAPS, NAMESPACES, objectPath, parseObject } from './kube-api.ts';
import { endOf } from './kube-status.ts';
import type { SessionWriter } from './session-writer.ts';
import { wait } from './wait.ts';

/** The fence is not as this session has read it: start again from reading it. */
export class FenceMoved extends Error {
  override readonly name = 'FenceMoved';
}

const METADATA_ONLY = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';
const POLL_MS = 200;
const ATTEMPTS = 5;

/** Holds the fence during one session: compare-and-set, and the question whether it is still ours. */
export class FenceKeeper {
  readonly #api: KubeApi;
  readonly #writer: SessionWriter;
  readonly #session: Session;
  #held: HeldFence | null;

  constructor(api: KubeApi, writer: SessionWriter, session: Session, held: HeldFence | null) {
    this.#api = api;
    this.#writer = writer;
    this.#session = session;
    this.#held = held;
  }

  get held(): HeldFence | null {
    return this.#held;
  }

  /**
   * A quorum read: is the fence as this session last wrote or read it? Ownership is judged after reading objects, never before:
   * who takes over moves the objects after the fence.
   */
  async confirm(): Promise<void> {
    const place = fencePlace(this.#session.application);
    const reply = await this.#api.transport.send({
      method: 'GET',
      path: objectPath(place),
      accept: METADATA_ONLY,
      signal: this.#session.signal,
    });
    if (reply.status === 200) {
      const { uid, resourceVersion } = parseObject(reply).metadata;
      if (this.#held !== null && uid === this.#held.uid && resourceVersion === this.#held.resourceVersion) return;
    }
    // Something moved: read it whole, and say by whom.
    const fence = await readFence(this.#api, this.#session.application, this.#session.signal);
    if (fence === null && this.#held === null) return;
    if (fence === null) throw fenced(0);
    if (this.#held !== null && fence.uid === this.#held.uid && sameHolder(fence, this.#held)) return;
    throw fenced(fence.epoch);
  }

  /** Compare-and-set. Throws {@link FenceMoved} when somebody else has written it, before the session's first write. */
  async open(next: Fence): Promise<void> {
    const written = this.#held === null ? await this.#create(next) : await this.#replace(next, this.#held);
    if (written === null) throw new FenceMoved();
    this.#held = heldFence(next, written);
  }

  /** Writes the fence again while it is ours. */
  async update(next: Fence): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#held === null) throw fenced(0);
      const written = await this.#replace(next, this.#held);
      if (written !== null) {
        this.#held = heldFence(next, written);
        return;
      }
      // Foreign metadata on it, or a successor.
      const fence = await readFence(this.#api, this.#session.application, this.#session.signal);
      if (fence === null) throw fenced(0);
      if (!isOurs(fence, this.#session)) throw fenced(fence.epoch);
      this.#held = fence;
    }
    throw cutOff('ServerError', 'the fence keeps changing while it is being written');
  }

  /** The application's last trace: by uid and resourceVersion. From now on whoever asks for the fence is fenced. */
  async remove(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    const place = fencePlace(held.application);
    const preconditions = { uid: held.uid, resourceVersion: held.resourceVersion };
    const result = await this.#writer.write({
      method: 'DELETE',
      path: objectPath(place),
      body: JSON.stringify({ apiVersion: 'v1', kind: 'DeleteOptions', preconditions }),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: true,
      bookkeeping: true,
    });
    if (result.kind === 'Stale') await this.confirm();
    if (result.kind === 'Stale') throw cutOff('ServerError', 'the fence was changed while it was being removed');
    this.#held = null;
  }

  async #replace(next: Fence, held: HeldFence): Promise<KubeObject | null> {
    const place = fencePlace(next.application);
    const result = await this.#writer.write({
      method: 'PUT',
      path: `${objectPath(place)}?fieldManager=breakwater`,
      body: JSON.stringify(fenceBody(next, held)),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: true,
      bookkeeping: true,
    });
    if (result.kind === 'Written') return result.object;
    if (result.kind === 'Stale' || result.kind === 'Absent' || result.kind === 'NamespaceAbsent') return null;
    throw endOf(result, place.key, 'writing the fence');
  }

  /**
   * Whoever removes the last application deletes the namespace by the resourceVersion that it read before it saw it empty. So a new
   * fence is followed by a touch of the namespace: either the deletion fails, or the touch sees it, and the fence counts as gone.
   */
  async #create(next: Fence): Promise<KubeObject | null> {
    const place = fencePlace(next.application);
    await this.#ensureNamespace();
    const result = await this.#writer.write({
      method: 'POST',
      path: `${collectionPath(CONFIG_MAPS, place.namespace)}?fieldManager=breakwater`,
      body: JSON.stringify(fenceBody(next, null)),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: false,
      bookkeeping: true,
    });
    if (result.kind === 'Stale') return null;
    // Swept away under our hands: by another application's end, or by a successor. Whoever called asks the record which.
    if (result.kind === 'NamespaceAbsent') throw fenced(0);
    if (result.kind !== 'Written') throw endOf(result, place.key, 'creating the fence');
    if (!(await this.#touchNamespace(next.nonce))) throw fenced(0);
    return result.object;
  }

  async #ensureNamespace(): Promise<void> {
    const deadline = Date.now() + this.#api.timeouts.deletion;
    for (;;) {
      const live = await this.#api.get(SYSTEM_PLACE, this.#session.signal);
      if (live !== null && live.metadata.deletionTimestamp === undefined) return;
      if (live === null) {
        const result = await this.#writer.write({
          method: 'POST',
          path: `${collectionPath(NAMESPACES, '')}?fieldManager=breakwater`,
          body: JSON.stringify({
            apiVersion: 'v1',
            kind: 'Namespace',
            metadata: { name: SYSTEM_PLACE.name, labels: { 'app.kubernetes.io/managed-by': 'breakwater' } },
          }),
          contentType: 'application/json',
          key: SYSTEM_PLACE.key,
          name: SYSTEM_PLACE.name,
          existing: false,
          bookkeeping: true,
        });
        if (result.kind === 'Written') return;
        if (result.kind !== 'Stale') throw endOf(result, SYSTEM_PLACE.key, 'creating breakwater-system');
      }
      if (Date.now() > deadline) {
        throw refused('NamespaceTerminating', 'breakwater-system is being deleted', SYSTEM_PLACE.key);
      }
      await wait(POLL_MS, this.#session.signal);
    }
  }

  /** False: the namespace is on its way out, and takes the new fence with it. */
  async #touchNamespace(nonce: string): Promise<boolean> {
    const result = await this.#writer.write({
      method: 'PATCH',
      path: `${objectPath(SYSTEM_PLACE)}?fieldManager=breakwater`,
      body: JSON.stringify({
        metadata: {
          annotations: { [TOUCHED_ANNOTATION]: `${nonce}/${this.#session.epoch}/${this.#session.application}` },
        },
      }),
      contentType: 'application/merge-patch+json',
      key: SYSTEM_PLACE.key,
      name: SYSTEM_PLACE.name,
      existing: true,
      bookkeeping: true,
    });
    return result.kind === 'Written' && result.object.metadata.deletionTimestamp === undefined;
  }
}

const sameHolder = (a: Fence, b: Fence): boolean =>
  a.installation === b.installation && a.epoch === b.epoch && a.nonce === b.nonce && a.closed === b.closed;
