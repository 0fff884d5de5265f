import type { KubeObject, ObjectKey } from '@breakwater/domain';
import type { FenceEntry } from './fence.ts';
import { foreignEdits, isMissing, overwrittenEdits } from './foreign-edits.ts';
import type { Planned } from './inventory.ts';

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 2, 12, minute)).toISOString();
const SINCE = Date.parse(at(30));

const entry: FenceEntry = {
  key: 'apps/Deployment/shop/web' as ObjectKey,
  origin: 'created',
  uid: 'u1',
  rollout: 'r1',
  apiVersion: 'apps/v1',
  objectDigest: 'sha256:x',
  fieldsDigest: null,
  suspectSince: null,
  removedBy: null,
};
const IMAGE = {
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { 'f:image': {} } } } } },
};
const managed = (manager: string, minute: number, fieldsV1: unknown = IMAGE, rest: object = {}) => ({
  manager,
  operation: 'Update',
  time: at(minute),
  fieldsV1,
  ...rest,
});
const object = (managedFields: unknown, metadata: object = {}): KubeObject => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'PartialObjectMetadata',
  metadata: { name: 'web', uid: 'u1', creationTimestamp: at(0), managedFields, ...metadata },
});
const told = (live: KubeObject): readonly string[] =>
  foreignEdits(live, entry, SINCE).map(
    (edit) => `${edit.at === null ? '-' : new Date(edit.at).getUTCMinutes()} ${edit.manager}: ${edit.what}`,
  );

describe('foreign edits', () => {
  it('name the manager, its fields and its time', () => {
    expect(told(object([managed('kubectl-edit', 30)]))).toEqual([
      '30 kubectl-edit: set spec.template.spec.containers[name=main].image',
    ]);
  });

  it('are not those of Breakwater, nor those from before the period', () => {
    expect(told(object([managed('breakwater', 45), managed('kubectl-edit', 29)]))).toEqual([]);
  });

  it('are not writes of status alone, by the subresource or by the fields', () => {
    const fields = { 'f:status': { 'f:replicas': {} } };
    expect(told(object([managed('kube-controller-manager', 45, IMAGE, { subresource: 'status' })]))).toEqual([]);
    expect(told(object([managed('operator', 45, fields)]))).toEqual([]);
    expect(told(object([managed('operator', 45, { ...fields, 'f:spec': { 'f:paused': {} } })]))).toEqual([
      '45 operator: set spec.paused',
    ]);
  });

  it('are those of the scale subresource, for which Kubernetes notes no time', () => {
    const fields = { 'f:spec': { 'f:replicas': {} } };
    const scaled = managed('kubectl', 45, fields, { subresource: 'scale', time: undefined });
    expect(told(object([scaled]))).toEqual(['- kubectl: set spec.replicas']);
  });

  it('name a few fields and count the others, and no value', () => {
    const data = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => [`f:${key}`, {}]));
    const finalizers = { 'f:metadata': { 'f:finalizers': { '.': {}, 'v:"secret-value"': {} } }, 'f:data': data };
    const [text] = told(object([managed('kubectl', 45, finalizers)]));
    expect(text).toBe('45 kubectl: set metadata.finalizers[], data.a, data.b, data.c and 3 more fields');
  });

  it('are an object that was deleted and made anew, and one that is being deleted', () => {
    expect(told(object([], { uid: 'u2', creationTimestamp: at(40) }))).toEqual(['40 : was deleted, and made anew']);
    expect(told(object([], { uid: 'u2' }))).toEqual([]);
    expect(told(object([], { deletionTimestamp: at(50) }))).toEqual(['50 : is being deleted']);
  });

  it('are an object that the inventory has and the cluster has not, unless it goes by itself or was never made', () => {
    expect(isMissing(entry)).toBe(true);
    expect(isMissing({ ...entry, uid: null })).toBe(false);
    expect(isMissing({ ...entry, removedBy: 'r2' })).toBe(false);
    expect(isMissing({ ...entry, key: 'batch/Job/shop/migrate' as ObjectKey })).toBe(false);
  });

  it('are kept when they are about to be written over, those since our last write only', () => {
    const live = object([managed('breakwater', 20), managed('kubectl-edit', 25), managed('helm', 10)]);
    const wanted = { key: entry.key } as Planned['wanted'];
    const inventory = new Map([[entry.key, entry]]);
    const kept = (decision: object, known = inventory) =>
      overwrittenEdits([{ wanted, live, decision: decision as Planned['decision'] }], known).map(
        ({ object: key, manager }) => `${key} ${manager}`,
      );
    expect(kept({ kind: 'Update', adopts: false })).toEqual(['apps/Deployment/shop/web kubectl-edit']);
    expect(kept({ kind: 'Unchanged' })).toEqual([]);
    expect(kept({ kind: 'Update', adopts: true }, new Map())).toEqual([]);
  });

  it('bear trees that nobody expects: deep, broad, or none at all', () => {
    let deep: object = {};
    for (let depth = 0; depth < 20_000; depth += 1) deep = { 'f:x': deep };
    const broad = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`f:${index}`, {}]));
    for (const fields of [deep, broad]) expect(told(object([managed('x', 45, fields)]))[0]!.length).toBeLessThan(600);
    for (const fields of [null, 7, [], { 'f:a': 1 }, { 'k:{': {} }])
      expect(() => told(object([managed('x', 45, fields)]))).not.toThrow();
    expect(told(object('x'))).toEqual([]);
  });
});
