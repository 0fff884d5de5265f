import { listAt, objectAt, stringAt, timeAt, valueAt } from '../health/json-field.ts';
import type { KubeObject } from '../kubernetes/object.ts';
import type { Instant } from '../rollout/rollout.ts';

/** One change of a Node, as the Node itself still tells it. */
export interface NodeChange {
  readonly node: string;
  /** Null: a node that is cordoned, nobody can tell since when. */
  readonly at: Instant | null;
  readonly what: string;
  /** A field manager, where the Node names one; else empty. */
  readonly by: string;
}

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';

/** The status that is well; conditions of other types have none that we know, and are told either way. */
const WELL: Readonly<Record<string, string>> = {
  Ready: 'True',
  MemoryPressure: 'False',
  DiskPressure: 'False',
  PIDPressure: 'False',
  NetworkUnavailable: 'False',
};

/** Bounds what one condition of a hostile cluster may say. */
const TEXT = 200;

/**
 * What a Node says of itself since `since`: that it joined, conditions that have turned, that it is cordoned or leaves. It keeps only the last
 * turn of each condition and nothing of its past: versions of the kubelet, nodes that are gone and cordons that were lifted cannot be told.
 */
export const nodeChanges = (node: KubeObject, since: Instant): readonly NodeChange[] => {
  const { name } = node.metadata;
  const created = timeAt(node, 'metadata', 'creationTimestamp');
  const joined = created !== undefined && created >= since;
  return [
    ...(joined ? [{ at: created, what: `the node joined${versionOf(node)}`, by: '' }] : []),
    ...turnedConditions(node, since, joined),
    ...cordon(node, since),
    ...leaving(node, since),
  ].map((change) => ({ node: name, ...change }));
};

type Told = Omit<NodeChange, 'node'>;

const versionOf = (node: KubeObject): string => {
  const version = stringAt(node, 'status', 'nodeInfo', 'kubeletVersion');
  return version === undefined ? '' : ` (kubelet ${version.slice(0, TEXT)})`;
};

/** That a new node became ready goes without saying. */
const turnedConditions = (node: KubeObject, since: Instant, joined: boolean): readonly Told[] =>
  listAt(node, 'status', 'conditions').flatMap((condition) => {
    const at = timeAt(condition, 'lastTransitionTime');
    const [type, status] = [stringAt(condition, 'type'), stringAt(condition, 'status')];
    if (at === undefined || at < since || type === undefined || status === undefined) return [];
    if (joined && WELL[type] === status) return [];
    const why = [stringAt(condition, 'reason'), stringAt(condition, 'message')].filter((text) => text !== undefined);
    const text = why.length === 0 ? '' : `: ${why.join(': ').slice(0, TEXT)}`;
    return [{ at, what: `${type.slice(0, TEXT)} became ${status.slice(0, TEXT)}${text}`, by: '' }];
  });

const cordon = (node: KubeObject, since: Instant): readonly Told[] => {
  if (valueAt(node, 'spec', 'unschedulable') !== true) return [];
  const managers = listAt(node, 'metadata', 'managedFields');
  const owner = managers.find((entry) => objectAt(entry, 'fieldsV1', 'f:spec', 'f:unschedulable') !== undefined);
  const taint = listAt(node, 'spec', 'taints').find((entry) => stringAt(entry, 'key') === UNSCHEDULABLE);
  const at = timeAt(taint, 'timeAdded') ?? timeAt(owner, 'time') ?? null;
  if (at !== null && at < since) return [];
  return [{ at, what: 'the node is cordoned', by: stringAt(owner, 'manager') ?? '' }];
};

const leaving = (node: KubeObject, since: Instant): readonly Told[] => {
  const at = timeAt(node, 'metadata', 'deletionTimestamp');
  return at === undefined || at < since ? [] : [{ at, what: 'the node is being deleted', by: '' }];
};
