import type { KubeObject } from '@breakwater/domain';
import { valueAt, withValueAt } from './field-path.ts';
import { ownedFields, owns } from './managed-fields.ts';
import type { Wanted } from './wanted.ts';

export const APPLICATION_LABEL = 'breakwater.dev/application';
export const DIGEST_ANNOTATION = 'breakwater.dev/object-digest';
export const EPOCH_ANNOTATION = 'breakwater.dev/epoch';

/**
 * No object has it: an apply that carries it creates what is absent, and is refused (409) when something is there. With a uid instead,
 * what is absent could not be created; with nothing, a late create would be applied over what a successor has put there.
 */
const NEVER_A_VERSION = '1';

const SERVER_FIELDS = [
  'managedFields',
  'creationTimestamp',
  'deletionTimestamp',
  'generation',
  'selfLink',
  'uid',
  'resourceVersion',
];

const withoutServerFields = (metadata: KubeObject['metadata']): KubeObject['metadata'] => {
  if (!SERVER_FIELDS.some((field) => field in metadata)) return metadata;
  return Object.fromEntries(
    Object.entries(metadata).filter(([field]) => !SERVER_FIELDS.includes(field)),
  ) as unknown as KubeObject['metadata'];
};

/**
 * Fields left to others: the live value where we own it, also when the release has it no more (dropping what only we own resets it),
 * else nothing.
 */
const leaveToOthers = (object: KubeObject, wanted: Wanted, live: KubeObject): KubeObject => {
  const owned = ownedFields(live);
  const { labels = {}, annotations = {}, ...metadata } = object.metadata;
  return wanted.ignored.reduce<unknown>(
    (body, path) => withValueAt(body, path, owns(owned, path) ? valueAt(live, path) : undefined),
    { ...object, metadata: { ...metadata, labels, annotations } },
  ) as KubeObject;
};

/** `stringData` is only for writing: a key that leaves it would stay in `data`, owned by nobody. */
const withoutStringData = (object: KubeObject): KubeObject => {
  const { stringData, ...rest } = object as KubeObject & { readonly stringData?: unknown };
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1' || typeof stringData !== 'object' || stringData === null)
    return object;
  const encoded = Object.entries(stringData).map(([key, value]) => [
    key,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return {
    ...rest,
    data: { ...(rest['data'] as object | undefined), ...Object.fromEntries(encoded) },
  } as unknown as KubeObject;
};

/** The apply's body: the object, its marks, and the exact object that it was decided for (`live`), or that there is none. */
export const applyBody = (wanted: Wanted, live: KubeObject | null, application: string): string => {
  const { status: _status, ...rest } = wanted.object;
  const object = withoutStringData(rest as KubeObject);
  const body = live === null ? object : leaveToOthers(object, wanted, live);
  const metadata = withoutServerFields(body.metadata);
  return JSON.stringify({
    ...body,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [APPLICATION_LABEL]: application },
      annotations: { ...metadata.annotations, [DIGEST_ANNOTATION]: wanted.digest },
      ...(live === null
        ? { resourceVersion: NEVER_A_VERSION }
        : { uid: live.metadata.uid, resourceVersion: live.metadata.resourceVersion }),
    },
  });
};
