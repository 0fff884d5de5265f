import type { KubeObject } from '../kubernetes/object.ts';
import { nodeChanges } from './node-changes.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 2, 12, minute)).toISOString();
const SINCE = Date.parse(at(30));

const node = (metadata: object = {}, rest: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', creationTimestamp: at(0), ...metadata },
  ...rest,
});
const condition = (type: string, status: string, minute: number, rest: object = {}) => ({
  type,
  status,
  lastTransitionTime: at(minute),
  ...rest,
});
const told = (live: KubeObject): readonly string[] =>
  nodeChanges(live, SINCE).map((change) => {
    const minute = change.at === null ? '-' : new Date(change.at).getUTCMinutes();
    return `${minute} ${change.node} ${change.what}${change.by === '' ? '' : ` by ${change.by}`}`;
  });

describe('changes of a Node', () => {
  it('are none when nothing has turned in the period', () => {
    expect(told(node({}, { status: { conditions: [condition('Ready', 'True', 29)] } }))).toEqual([]);
  });

  it('are conditions that have turned, to bad and to good, with their reason', () => {
    const conditions = [
      condition('Ready', 'Unknown', 40, { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting' }),
      condition('MemoryPressure', 'True', 30, { reason: 'KubeletHasInsufficientMemory' }),
      condition('DiskPressure', 'False', 31),
      condition('PIDPressure', 'False', 3),
    ];
    expect(told(node({}, { status: { conditions } }))).toEqual([
      '40 n1 Ready became Unknown: NodeStatusUnknown: Kubelet stopped posting',
      '30 n1 MemoryPressure became True: KubeletHasInsufficientMemory',
      '31 n1 DiskPressure became False',
    ]);
  });

  it('are one for a node that joined and is well, and more when it is not', () => {
    const well = [condition('Ready', 'True', 46), condition('DiskPressure', 'False', 46)];
    const fresh = { creationTimestamp: at(45) };
    const nodeInfo = { kubeletVersion: 'v1.35.1' };
    expect(told(node(fresh, { status: { conditions: well, nodeInfo } }))).toEqual([
      '45 n1 the node joined (kubelet v1.35.1)',
    ]);
    const ill = [condition('Ready', 'False', 46, { reason: 'KubeletNotReady' })];
    expect(told(node(fresh, { status: { conditions: ill } }))).toEqual([
      '45 n1 the node joined',
      '46 n1 Ready became False: KubeletNotReady',
    ]);
  });

  it('are a cordon, by the time of its taint and the name of the manager who set it', () => {
    const taints = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: at(41) }];
    const managedFields = [
      { manager: 'kubelet', time: at(59), fieldsV1: { 'f:spec': { 'f:podCIDR': {} } } },
      { manager: 'kubectl-cordon', time: at(40), fieldsV1: { 'f:spec': { 'f:unschedulable': {} } } },
    ];
    const spec = { unschedulable: true };
    expect(told(node({ managedFields }, { spec: { ...spec, taints } }))).toEqual([
      '41 n1 the node is cordoned by kubectl-cordon',
    ]);
    expect(told(node({ managedFields }, { spec }))).toEqual(['40 n1 the node is cordoned by kubectl-cordon']);
    expect(told(node({}, { spec }))).toEqual(['- n1 the node is cordoned']);
    expect(told(node({}, { spec: { taints } }))).toEqual([]);
    const before = [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', timeAdded: at(29) }];
    expect(told(node({}, { spec: { ...spec, taints: before } }))).toEqual([]);
  });

  it('are a node that is being deleted', () => {
    expect(told(node({ deletionTimestamp: at(50) }))).toEqual(['50 n1 the node is being deleted']);
    expect(told(node({ deletionTimestamp: at(29) }))).toEqual([]);
  });

  it('are in the period from its first moment on', () => {
    const [first, key] = [at(30), 'node.kubernetes.io/unschedulable'];
    const taints = [
      { key: 'other', timeAdded: at(3) },
      { key, timeAdded: first },
    ];
    const spec = { unschedulable: true, taints };
    expect(told(node({ creationTimestamp: first, deletionTimestamp: first }, { spec }))).toEqual([
      '30 n1 the node joined',
      '30 n1 the node is cordoned',
      '30 n1 the node is being deleted',
    ]);
  });

  it('are none of a condition that says only half', () => {
    const { lastTransitionTime, type, status } = condition('Ready', 'False', 40);
    const conditions = [
      { lastTransitionTime, type },
      { lastTransitionTime, status },
      { type, status },
    ];
    expect(told(node({}, { status: { conditions } }))).toEqual([]);
  });

  it('do not trip over fields of a shape that nobody expects, nor repeat a long text', () => {
    const broken = { status: { conditions: 'x' }, spec: { unschedulable: true, taints: { a: 1 } } };
    expect(told(node({ managedFields: 7, creationTimestamp: 'yesterday' }, broken))).toEqual([
      '- n1 the node is cordoned',
    ]);
    const long = condition('Ready', 'False', 40, { message: 'x'.repeat(10_000) });
    expect(told(node({}, { status: { conditions: [long] } }))[0]!.length).toBeLessThan(250);
    const name = 'x'.repeat(10_000);
    expect(told(node({}, { status: { conditions: [condition(name, name, 40)] } }))[0]!.length).toBeLessThan(450);
    const fresh = node({ creationTimestamp: at(45) }, { status: { nodeInfo: { kubeletVersion: name } } });
    expect(told(fresh)[0]!.length).toBeLessThan(250);
  });
});
