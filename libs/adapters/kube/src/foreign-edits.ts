import type { ForeignEdit } from '@breakwater/application';
import type { Instant, KubeObject } from '@breakwater/domain';
import type { FenceEntry, Inventory } from './fence.ts';
import type { Planned } from './inventory.ts';
import { isJobKey } from './job-key.ts';
import { FIELD_MANAGER } from './kube-api.ts';
import { type FieldTree, type ManagedFields, managedFieldsOf } from './managed-fields.ts';

/** Fields that are named one by one. */
const NAMED = 4;
/** Bounds what a hostile cluster may have us say. */
const TEXT = 120;
const FIELDS = 10_000;

type Edit = Omit<ForeignEdit, 'application' | 'object'>;

/**
 * What others than Breakwater did to an object since `since`, or nobody can tell when, as far as the object still tells: a manager has one
 * time, its last, and all of the fields that it holds by now. What was overwritten since, or put back, is not told any more. Writes of status
 * alone are none: the controllers that report do that all the time.
 */
export const foreignEdits = (object: KubeObject, entry: FenceEntry, since: Instant): readonly Edit[] => {
  const { uid, creationTimestamp, deletionTimestamp } = object.metadata;
  const made = timeOf(creationTimestamp);
  const gone = timeOf(deletionTimestamp);
  const anew = entry.uid !== null && uid !== undefined && uid !== entry.uid && made !== null && made >= since;
  return [
    ...(anew ? [{ at: made, what: 'was deleted, and made anew', manager: '' }] : []),
    ...(gone !== null && gone >= since ? [{ at: gone, what: 'is being deleted', manager: '' }] : []),
    ...managedFieldsOf(object).flatMap((managed) => editOf(managed, since)),
  ];
};

/**
 * What others did to objects since our last write, and before the one that is about to take their fields by force: afterwards the cluster
 * tells nothing of it any more.
 */
export const overwrittenEdits = (
  plan: readonly Planned[],
  inventory: Inventory,
): readonly Omit<ForeignEdit, 'application'>[] =>
  plan.flatMap(({ wanted: { key }, live, decision }) => {
    const entry = inventory.get(key);
    if (live === null || entry === undefined || decision.kind !== 'Update') return [];
    const ours = managedFieldsOf(live).find(({ manager }) => manager === FIELD_MANAGER);
    return foreignEdits(live, entry, timeOf(ours?.time) ?? 0).flatMap((edit) =>
      edit.at === null ? [] : [{ object: key, ...edit }],
    );
  });

/** The inventory has it, and the cluster does not. Jobs go by themselves when their time is over, and what was only announced was never there. */
export const isMissing = (entry: FenceEntry): boolean =>
  entry.uid !== null && entry.objectDigest !== null && entry.removedBy === null && !isJobKey(entry.key);

const editOf = (managed: ManagedFields, since: Instant): readonly Edit[] => {
  const { manager, subresource = '', fieldsV1 } = managed;
  // Kubernetes notes no time for what goes through the subresource `scale`.
  const at = timeOf(managed.time);
  if (typeof manager !== 'string' || manager === FIELD_MANAGER || subresource === 'status') return [];
  if ((at !== null && at < since) || !isTree(fieldsV1)) return [];
  const paths = fieldPaths(fieldsV1).filter((path) => path !== 'status' && !path.startsWith('status.'));
  if (paths.length === 0) return [];
  const named = paths.slice(0, NAMED).join(', ');
  const more = paths.length - NAMED;
  const rest = more > 0 ? ` and ${more} more ${more === 1 ? 'field' : 'fields'}` : '';
  return [{ at, what: `set ${named}${rest}`, manager: manager.slice(0, TEXT) }];
};

const timeOf = (text: unknown): Instant | null => {
  const time = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : time;
};

const isTree = (value: unknown): value is FieldTree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `spec.template.spec.containers[name=main].image` … for every leaf, without recursion: the tree is the cluster's. */
const fieldPaths = (root: FieldTree): readonly string[] => {
  const paths: string[] = [];
  const open: { readonly tree: FieldTree; readonly path: string }[] = [{ tree: root, path: '' }];
  for (let next = open.pop(); next !== undefined && paths.length < FIELDS; next = open.pop()) {
    const { tree, path } = next;
    const steps = Object.keys(tree).filter((key) => key !== '.' && isTree(tree[key]));
    if (steps.length === 0 && path !== '') paths.push(path.slice(0, TEXT));
    for (const key of steps.toReversed()) {
      const inner = tree[key];
      if (inner !== undefined && open.length < FIELDS) open.push({ tree: inner, path: stepped(path, key) });
    }
  }
  return paths;
};

const stepped = (path: string, key: string): string => {
  if (path.length > TEXT) return path;
  if (key.startsWith('f:')) return `${path}${path === '' ? '' : '.'}${key.slice(2)}`;
  if (key.startsWith('k:')) return `${path}[${itemOf(key.slice(2))}]`;
  // An item of a set is a value, and values are not told.
  return `${path}[]`;
};

/** `{"name":"main"}` as `name=main`. */
const itemOf = (text: string): string => {
  try {
    const values = JSON.parse(text) as unknown;
    if (!isTree(values)) return '';
    return Object.entries(values)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(',');
  } catch {
    return '';
  }
};
