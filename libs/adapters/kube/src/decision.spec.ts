import type { KubeObject } from '@breakwater/domain';
import { objectDigest } from '@breakwater/domain';
import { applyBody } from './apply-body.ts';
import type { DecisionContext } from './decision.ts';
import { decide } from './decision.ts';
import type { FenceEntry } from './fence.ts';
import { parseFieldPath } from './field-path.ts';
import { CONFIG_MAPS, NAMESPACES, placeOf } from './kube-api.ts';
import { fieldsDigestOf } from './managed-fields.ts';
import type { Wanted } from './wanted.ts';

const object: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'shop' },
  data: { v: '1', theirs: 'x' },
};
const place = placeOf(CONFIG_MAPS, 'shop', 'a');
const wanted: Wanted = {
  key: place.key,
  object,
  digest: objectDigest(object),
  place,
  served: true,
  ignored: [],
  retakesReplicas: false,
  implied: false,
};
const context: DecisionContext = {
  made: new Set(),
  application: 'web',
  mode: 'forward',
  policy: { adopt: 'refuse', namespace: 'shop' },
};

const FIELDS = { 'f:data': { 'f:v': {}, 'f:theirs': {} } };
const live = (changes: { fields?: object; label?: string; digest?: string; uid?: string } = {}): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    uid: changes.uid ?? 'u1',
    resourceVersion: '7',
    labels: changes.label === '' ? {} : { 'breakwater.dev/application': changes.label ?? 'web' },
    annotations: { 'breakwater.dev/object-digest': changes.digest ?? wanted.digest },
    managedFields: [{ manager: 'breakwater', operation: 'Apply', fieldsV1: changes.fields ?? FIELDS }],
  },
});
const entry: FenceEntry = {
  key: place.key,
  origin: 'created',
  uid: 'u1',
  rollout: 'r1',
  apiVersion: 'v1',
  objectDigest: wanted.digest,
  fieldsDigest: fieldsDigestOf(live(), []),
  suspectSince: null,
  removedBy: null,
};

describe('decide', () => {
  it('takes what Kubernetes puts into a namespace, where the rollout made that, and nothing else there', () => {
    const account = (name: string): [Wanted, KubeObject] => {
      const mapping = { ...CONFIG_MAPS, kind: 'ServiceAccount', plural: 'serviceaccounts' };
      const it: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'shop' } };
      return [{ ...wanted, object: it, place: placeOf(mapping, 'shop', name) }, it];
    };
    const made = { ...context, made: new Set(['shop']) };
    expect(decide(...account('default'), undefined, made)).toEqual({ kind: 'Update', adopts: true });
    expect(decide(...account('default'), undefined, context)).toEqual({ kind: 'NotAdopted' });
    expect(decide(...account('other'), undefined, made)).toEqual({ kind: 'NotAdopted' });
  });

  it('leaves alone what is exactly as we wrote it', () => {
    expect(decide(wanted, live(), entry, context)).toEqual({ kind: 'Unchanged' });
  });

  it.each([
    ['the bundle has changed', live({ digest: 'sha256:other' }), entry],
    ['somebody has taken a field', live({ fields: { 'f:data': { 'f:theirs': {} } } }), entry],
    ['it was made again with our label', live({ uid: 'u2' }), entry],
    ['it was only written ahead', live(), { ...entry, uid: null, fieldsDigest: null }],
    ['our label was taken off', live({ label: '', fields: {} }), entry],
  ])('writes again when %s', (_why, object, known) => {
    expect(decide(wanted, object, known, context)).toEqual({ kind: 'Update', adopts: false });
  });

  it.each([
    ['without our label', live({ label: '' }), undefined, { kind: 'NotAdopted' }],
    ['with our label, and not in the inventory', live(), undefined, { kind: 'NotAdopted' }],
    ['made again by somebody else', live({ uid: 'u2', label: '' }), entry, { kind: 'NotAdopted' }],
    ['of another application', live({ label: 'other' }), entry, { kind: 'Foreign', application: 'other' }],
  ])('does not touch an object %s', (_what, object, known, expected) => {
    expect(decide(wanted, object, known, context)).toEqual(expected);
  });

  it('adopts what is nobody’s when told to, never another application’s', () => {
    const adopting: DecisionContext = { ...context, policy: { adopt: 'unowned', namespace: 'shop' } };
    expect(decide(wanted, live({ label: '' }), undefined, adopting)).toEqual({ kind: 'Update', adopts: true });
    expect(decide(wanted, live({ label: 'other' }), undefined, adopting)).toMatchObject({ kind: 'Foreign' });
  });

  it('uses a namespace that was there before', () => {
    const shop = placeOf(NAMESPACES, '', 'shop');
    const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const item = { ...wanted, key: shop.key, place: shop, object: namespace, implied: true };
    expect(decide(item, namespace, undefined, context)).toEqual({ kind: 'Used' });
    const leaving = { ...namespace, metadata: { name: 'shop', deletionTimestamp: 'now' } };
    expect(decide(item, leaving, undefined, context)).toEqual({ kind: 'Terminating' });
  });
});

describe('fields left to others', () => {
  const theirs = parseFieldPath('data.theirs')!;
  const ignoring: Wanted = { ...wanted, ignored: [theirs] };
  const bodyOf = (it: KubeObject | null): { data: object; metadata: Record<string, unknown> } =>
    JSON.parse(applyBody(ignoring, it, 'web')) as never;

  it('are sent on creation, which carries what lets it only create', () => {
    expect(bodyOf(null)).toMatchObject({ data: { v: '1', theirs: 'x' }, metadata: { resourceVersion: '1' } });
    expect(bodyOf(null).metadata).not.toHaveProperty('uid');
  });

  it('keep their live value while we own them, and are left out after', () => {
    const edited = { ...live(), data: { v: '1', theirs: 'live' } };
    expect(bodyOf(edited)).toMatchObject({
      data: { v: '1', theirs: 'live' },
      metadata: { uid: 'u1', resourceVersion: '7' },
    });
    const taken = { ...live({ fields: { 'f:data': { 'f:v': {} } } }), data: { v: '1', theirs: 'live' } };
    expect(bodyOf(taken).data).toEqual({ v: '1' });
  });

  it('do not count as edits', () => {
    const before = { ...entry, fieldsDigest: fieldsDigestOf(live(), [theirs]) };
    expect(decide(ignoring, live({ fields: { 'f:data': { 'f:v': {} } } }), before, context)).toEqual({
      kind: 'Unchanged',
    });
  });
});
