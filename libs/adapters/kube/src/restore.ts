import type { BeforeImage } from '@breakwater/application';
import type { KubeObject } from '@breakwater/domain';
import { canonicalJson } from '@breakwater/domain';
import { APPLICATION_LABEL, DIGEST_ANNOTATION, EPOCH_ANNOTATION } from './apply-body.ts';
import type { FenceKeeper } from './fence-keeper.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { collectionPath, FIELD_MANAGER, objectPath } from './kube-api.ts';
import { endOf } from './kube-status.ts';
import { managedFieldsOf, missingFrom, overlay } from './managed-fields.ts';
import type { SessionWriter } from './session-writer.ts';
import { keepsChanging } from './session-writer.ts';

const ATTEMPTS = 5;

type Metadata = KubeObject['metadata'];

const SERVER_MADE = [
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'selfLink',
  'managedFields',
];

/** What people see of an object: without status, and what the API server makes itself. */
const contentOf = (object: KubeObject): KubeObject => {
  const { status: _status, ...rest } = object;
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([field]) => !SERVER_MADE.includes(field)),
  );
  return { ...rest, metadata } as unknown as KubeObject;
};

const sameContent = (a: KubeObject, b: KubeObject): boolean =>
  canonicalJson(contentOf(a)) === canonicalJson(contentOf(b));

const at = (content: KubeObject, live: KubeObject, managedFields?: unknown): KubeObject => ({
  ...content,
  metadata: {
    ...content.metadata,
    ...(live.metadata.uid === undefined ? {} : { uid: live.metadata.uid }),
    ...(live.metadata.resourceVersion === undefined ? {} : { resourceVersion: live.metadata.resourceVersion }),
    ...(managedFields === undefined ? {} : { managedFields }),
  },
});

/** Puts objects back to what they were before us: content first, then who owned which field. */
export class Restorer {
  readonly #api: KubeApi;
  readonly #writer: SessionWriter;
  readonly #keeper: FenceKeeper;
  readonly #signal: AbortSignal;

  constructor(api: KubeApi, writer: SessionWriter, keeper: FenceKeeper, signal: AbortSignal) {
    this.#api = api;
    this.#writer = writer;
    this.#keeper = keeper;
    this.#signal = signal;
  }

  /** An adopted object: the whole of it becomes what it was, our marks gone. */
  async whole(place: Place, image: BeforeImage): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const live = await this.#read(place);
      const restored =
        live === null
          ? await this.#create(place, image.object)
          : await this.#replace(place, at(contentOf(image.object), live), FIELD_MANAGER);
      if (restored !== null) {
        await this.#giveBackOwnership(place, restored, image.object);
        return;
      }
    }
    throw keepsChanging(image.key);
  }

  /** Fields that were taken by force: back to the value, and as far as possible to the owner, that they had. */
  async forcedFields(place: Place, image: BeforeImage): Promise<KubeObject | null> {
    let live = await this.#read(place);
    for (const former of managedFieldsOf(image.object)) {
      if (former.manager === FIELD_MANAGER || (former.subresource ?? '') !== '' || former.fieldsV1 === undefined)
        continue;
      for (let attempt = 0; attempt < ATTEMPTS && live !== null; attempt++) {
        const current = managedFieldsOf(live).find(
          (it) => it.manager === former.manager && it.operation === former.operation,
        );
        const lost = missingFrom(former.fieldsV1, current?.fieldsV1 ?? null);
        if (lost === null) break;
        const content = contentOf(overlay(live, image.object, lost) as KubeObject);
        const written = await this.#replace(place, at(content, live), former.manager);
        live = written ?? (await this.#read(place));
        if (written !== null) break;
        if (attempt === ATTEMPTS - 1) throw keepsChanging(image.key);
      }
    }
    return live === null ? null : this.#giveBackOwnership(place, live, image.object);
  }

  /** No image: our marks are taken off, and the object stays as it is. */
  async release(place: Place): Promise<void> {
    const live = await this.#read(place);
    if (live === null) return;
    const annotations = { [DIGEST_ANNOTATION]: null, [EPOCH_ANNOTATION]: null };
    await this.#writer.mustWrite({
      method: 'PATCH',
      path: `${objectPath(place)}?fieldManager=${FIELD_MANAGER}`,
      body: JSON.stringify({
        metadata: {
          uid: live.metadata.uid,
          resourceVersion: live.metadata.resourceVersion,
          labels: { [APPLICATION_LABEL]: null },
          annotations,
        },
      }),
      contentType: 'application/merge-patch+json',
      key: place.key,
      name: place.name,
      existing: true,
    });
  }

  /** Object first, fence second: see {@link FenceKeeper.confirm}. */
  async #read(place: Place): Promise<KubeObject | null> {
    const live = await this.#api.get(place, this.#signal);
    await this.#keeper.confirm();
    return live;
  }

  /** When the content is what it was, so can the managers be: a write that changes nothing else may set them. */
  async #giveBackOwnership(place: Place, live: KubeObject, image: KubeObject): Promise<KubeObject> {
    const { [EPOCH_ANNOTATION]: _epoch, ...annotations } = live.metadata.annotations ?? {};
    const { annotations: _annotations, ...metadata } = live.metadata;
    const unmarked = {
      ...live,
      metadata: (Object.keys(annotations).length === 0 ? metadata : { ...metadata, annotations }) as Metadata,
    };
    if (!sameContent(unmarked, image) && !sameContent(live, image)) return live;
    const formerly = managedFieldsOf(image);
    if (formerly.length === 0 || canonicalJson(formerly) === canonicalJson(managedFieldsOf(live))) return live;
    const status = managedFieldsOf(live).filter((entry) => (entry.subresource ?? '') !== '');
    const fields = [...formerly.filter((entry) => (entry.subresource ?? '') === ''), ...status];
    return (await this.#replace(place, at(contentOf(live), live, fields), FIELD_MANAGER)) ?? live;
  }

  async #replace(place: Place, object: KubeObject, fieldManager: string): Promise<KubeObject | null> {
    const result = await this.#writer.write({
      method: 'PUT',
      path: `${objectPath(place)}?fieldManager=${encodeURIComponent(fieldManager)}`,
      body: JSON.stringify(object),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: true,
    });
    if (result.kind === 'Written') return result.object;
    if (result.kind === 'Stale' || result.kind === 'Absent') return null;
    throw endOf(result, place.key, `restoring ${place.key}`);
  }

  async #create(place: Place, image: KubeObject): Promise<KubeObject | null> {
    const result = await this.#writer.write({
      method: 'POST',
      path: `${collectionPath(place.mapping, place.namespace)}?fieldManager=${FIELD_MANAGER}`,
      body: JSON.stringify(contentOf(image)),
      contentType: 'application/json',
      key: place.key,
      name: place.name,
      existing: false,
      confirm: () => this.#keeper.confirm(),
    });
    if (result.kind === 'Written') return result.object;
    if (result.kind === 'Stale') return null;
    throw endOf(result, place.key, `restoring ${place.key}`);
  }
}
