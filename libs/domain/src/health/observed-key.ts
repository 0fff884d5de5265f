import { groupOf, keyOf } from '../kubernetes/object.ts';
import type { KubeObject, ObjectKey } from '../kubernetes/object.ts';
import { stringAt } from './json-field.ts';

/** An object of the inventory that the API server does not have. */
export interface MissingObject {
  readonly missing: ObjectKey;
}

export const isMissing = (object: KubeObject | MissingObject): object is MissingObject =>
  'missing' in object && typeof object['missing'] === 'string' && !('metadata' in object);

/** `objectKey` for objects whose fields may be of any type. */
export const observedKey = (object: KubeObject): ObjectKey =>
  keyOf({
    group: groupOf(stringAt(object, 'apiVersion') ?? ''),
    kind: stringAt(object, 'kind') ?? '',
    namespace: stringAt(object, 'metadata', 'namespace') ?? '',
    name: stringAt(object, 'metadata', 'name') ?? '',
  });

/** `apps/Deployment`, `Service`. */
export const groupKindOf = (object: unknown): string => {
  const group = groupOf(stringAt(object, 'apiVersion') ?? '');
  const kind = stringAt(object, 'kind') ?? '';
  return group === '' ? kind : `${group}/${kind}`;
};
