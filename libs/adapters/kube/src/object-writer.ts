import type { BeforeImage } from '@breakwater/application';
import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { applyBody } from './apply-body.ts';
import { isLeftByAutoscaler } from './autoscalers.ts';
import type { Decision, DecisionContext } from './decision.ts';
import { decide } from './decision.ts';
import type { Ended } from './ended.ts';
import { isNotServed, refused } from './ended.ts';
import type { FenceEntry } from './fence.ts';
import type { FenceKeeper } from './fence-keeper.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { objectPath, placeOf } from './kube-api.ts';
import { describeConflict } from './kube-status.ts';
import type { SessionWriter } from './session-writer.ts';
import { keepsChanging } from './session-writer.ts';
import type { Wanted } from './wanted.ts';
import { wait } from './wait.ts';

const ATTEMPTS = 5;
const POLL_MS = 150;

export const applyPath = (place: Place, query: string): string =>
  `${objectPath(place)}?fieldManager=breakwater&fieldValidation=Strict${query}`;

export interface Applied {
  readonly decision: Decision;
  /** After the write; null when it is absent. */
  readonly object: KubeObject | null;
  readonly wrote: boolean;
}

export interface ObjectWriterParts {
  readonly api: KubeApi;
  readonly writer: SessionWriter;
  readonly keeper: FenceKeeper;
  readonly context: DecisionContext;
  readonly conflicts: 'report' | 'force';
  readonly journal: (images: readonly BeforeImage[]) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Brings one object to where it should be; after every refusal for having read stale, reads, asks for the fence, and decides again. */
export class ObjectWriter {
  readonly #parts: ObjectWriterParts;
  /** Whose conflicting fields are taken: their former values are in the record. */
  readonly #forced: Set<ObjectKey>;
  /** Their first image is the one that counts. */
  readonly #journalled = new Set<ObjectKey>();

  constructor(parts: ObjectWriterParts, forced: ReadonlySet<ObjectKey>) {
    this.#parts = parts;
    this.#forced = new Set(forced);
  }

  async bring(wanted: Wanted, live: KubeObject | null, entry: FenceEntry | undefined): Promise<Applied> {
    let current = live;
    let wrote = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const decision = decide(wanted, current, entry, this.#parts.context);
      await this.#journalAdoption(decision, wanted, current);
      const outcome = await this.#carryOut(decision, wanted, current);
      if (outcome.kind === 'Done') return { decision, object: outcome.object, wrote: wrote || outcome.wrote };
      wrote ||= outcome.wrote;
      // First the object, then the fence: a successor moves the objects after the fence, so what was read before is then stale.
      current = await this.#parts.api.get(await this.#place(wanted), this.#parts.signal);
      await this.#parts.keeper.confirm();
    }
    throw keepsChanging(wanted.key);
  }

  /** Also of what was not there yet when the session looked. */
  async #journalAdoption(decision: Decision, wanted: Wanted, live: KubeObject | null): Promise<void> {
    if (this.#parts.context.mode === 'rollback' || live === null) return;
    if (decision.kind === 'Update' && decision.adopts) await this.#journal(wanted.key, live);
  }

  async #journal(key: ObjectKey, object: KubeObject): Promise<void> {
    if (this.#journalled.has(key)) return;
    await this.#parts.journal([{ key, object }]);
    this.#journalled.add(key);
  }

  async #carryOut(decision: Decision, wanted: Wanted, live: KubeObject | null): Promise<Step> {
    switch (decision.kind) {
      case 'Unchanged':
      case 'Used':
      case 'HasRun':
        return { kind: 'Done', object: live, wrote: false };
      case 'Create':
      case 'Update':
        return this.#apply(wanted, live);
      case 'Recreate':
        await this.awaitGone(await this.#place(wanted), live?.metadata.uid ?? '');
        return { kind: 'Again', wrote: false };
      case 'ReplaceJob':
        return { kind: 'Again', wrote: live !== null && (await this.#deleteJob(wanted, live)) };
      case 'StopJob':
        if (live !== null && !(await this.#deleteJob(wanted, live))) return { kind: 'Again', wrote: false };
        return { kind: 'Done', object: null, wrote: true };
      case 'Foreign':
        throw foreign(wanted.key, decision.application);
      case 'NotAdopted':
        throw notAdopted([wanted.key]);
      case 'Terminating':
        throw terminating(wanted.key);
    }
  }

  async #apply(wanted: Wanted, live: KubeObject | null, takes = false): Promise<Step> {
    const { writer, keeper, context } = this.#parts;
    const place = await this.#place(wanted);
    const byPolicy = this.#forced.has(wanted.key) || (context.mode === 'rollback' && this.#parts.conflicts === 'force');
    const force = takes || byPolicy;
    const result = await writer.write({
      method: 'PATCH',
      path: applyPath(place, force ? '&force=true' : ''),
      body: applyBody(wanted, live, context.application),
      contentType: 'application/apply-patch+yaml',
      key: wanted.key,
      name: wanted.place.name,
      existing: live !== null,
      ...(live === null ? { confirm: () => keeper.confirm() } : {}),
    });
    switch (result.kind) {
      case 'Written':
        return { kind: 'Done', object: result.object, wrote: true };
      case 'FieldConflict':
        // On a create it only means that somebody was faster.
        if (live === null) return { kind: 'Again', wrote: false };
        // Over exactly the object that was judged: whoever takes more of it in between makes this stale.
        if (!takes && isLeftByAutoscaler(wanted, live, result.causes)) return this.#apply(wanted, live, true);
        if (this.#parts.conflicts === 'report')
          throw refused('FieldConflict', describeConflict(result.causes), wanted.key);
        await this.#journal(wanted.key, live);
        this.#forced.add(wanted.key);
        return { kind: 'Again', wrote: false };
      case 'Stale':
      case 'Absent':
        return { kind: 'Again', wrote: false };
      case 'NotServed':
        // A kind that was just defined is served by one part of the API server before the other.
        this.#parts.api.discovery.forget();
        await wait(POLL_MS * 4, this.#parts.signal);
        return { kind: 'Again', wrote: false };
      case 'NamespaceAbsent':
        throw refused('Invalid', `the namespace ${wanted.place.namespace} does not exist`, wanted.key);
      case 'DryRunUnsupported':
        throw keepsChanging(wanted.key);
    }
  }

  /** False: it is not as it was read. */
  async #deleteJob(wanted: Wanted, live: KubeObject): Promise<boolean> {
    const place = await this.#place(wanted);
    return (await this.delete(place, live)) && (await this.awaitGone(place, live.metadata.uid ?? ''), true);
  }

  /** By uid and resourceVersion; true also when it is gone already. */
  async delete(place: Place, live: KubeObject): Promise<boolean> {
    const { uid, resourceVersion } = live.metadata;
    const result = await this.#parts.writer.write({
      method: 'DELETE',
      path: objectPath(place),
      body: JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        preconditions: { uid, resourceVersion },
        propagationPolicy: 'Background',
      }),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: true,
    });
    return (
      result.kind === 'Written' ||
      result.kind === 'Absent' ||
      result.kind === 'NamespaceAbsent' ||
      result.kind === 'NotServed'
    );
  }

  async awaitGone(place: Place, uid: string): Promise<void> {
    const { api, signal } = this.#parts;
    const deadline = Date.now() + api.timeouts.deletion;
    for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
      const live = await api.get(place, signal).catch((error: unknown) => {
        // Its definition went with it.
        if (isNotServed(error)) return null;
        throw error;
      });
      if (live === null || live.metadata.uid !== uid) return;
      if (Date.now() > deadline) {
        const finalizers = live.metadata.finalizers?.join(', ') ?? '';
        throw refused(
          'DeletionStuck',
          `still there ${api.timeouts.deletion} ms after its deletion${finalizers === '' ? '' : `, held by finalizers: ${finalizers}`}`,
          place.key,
        );
      }
      await wait(pause, signal);
    }
  }

  /** Waits for kinds that a CRD of this bundle has promised. */
  async #place(wanted: Wanted): Promise<Place> {
    if (wanted.served) return wanted.place;
    const { api, signal } = this.#parts;
    const { apiVersion, kind } = wanted.place.mapping;
    const deadline = Date.now() + api.timeouts.established;
    for (;;) {
      const mapping = await api.discovery.find(apiVersion, kind, signal);
      if (mapping !== null) return placeOf(mapping, wanted.place.namespace, wanted.place.name);
      if (Date.now() > deadline) {
        throw refused(
          'KindNotServed',
          `${apiVersion} ${kind} is not served ${api.timeouts.established} ms after its definition`,
          wanted.key,
        );
      }
      await wait(POLL_MS, signal);
    }
  }
}

type Step =
  | { readonly kind: 'Done'; readonly object: KubeObject | null; readonly wrote: boolean }
  | { readonly kind: 'Again'; readonly wrote: boolean };

export const foreign = (key: ObjectKey, application: string): Ended =>
  refused('OwnedByAnotherApplication', `${key} belongs to the application ${application}`, key);

export const notAdopted = (keys: readonly ObjectKey[]): Ended =>
  refused(
    'NotAdopted',
    `${keys.join(', ')}: there already, and not made by this application; delete, rename, or set adopt: unowned`,
    keys[0] ?? null,
  );

export const terminating = (key: ObjectKey): Ended => refused('NamespaceTerminating', `${key} is being deleted`, key);
