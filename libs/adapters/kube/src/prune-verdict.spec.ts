import type { KubeObject, ObjectKey } from '@breakwater/domain';
import type { FenceEntry } from './fence.ts';
import { isKept, verdictOn } from './prune-verdict.ts';

const entry = (changes: Partial<FenceEntry> = {}): FenceEntry => ({
  key: 'ConfigMap/shop/a' as ObjectKey,
  origin: 'created',
  uid: 'u1',
  rollout: 'r1',
  apiVersion: 'v1',
  objectDigest: null,
  fieldsDigest: null,
  suspectSince: null,
  removedBy: null,
  ...changes,
});
const live = (uid = 'u1', application: string | null = 'web'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: 'a',
    namespace: 'shop',
    uid,
    ...(application === null ? {} : { labels: { 'breakwater.dev/application': application } }),
  },
});
const request = (changes: object = {}): Parameters<typeof verdictOn>[2] => ({
  application: 'web',
  mode: 'forward',
  rollout: 'r2',
  lineage: [],
  removeAll: false,
  policy: {
    namespace: 'shop',
    conflicts: 'report',
    adopt: 'refuse',
    ignore: [],
    prune: { enabled: true, maxDeletions: 10, protect: ['PersistentVolumeClaim'] },
  },
  ...changes,
});
const verdict = (it: FenceEntry, object: KubeObject | null, changes: object = {}): unknown =>
  verdictOn(it, object, request(changes), 10_000_000);

describe('prune', () => {
  it('deletes what is in the inventory, and counts it', () => {
    expect(verdict(entry(), live())).toEqual({ kind: 'Delete', counts: true });
    expect(verdict(entry({ origin: 'adopted' }), live())).toEqual({ kind: 'Delete', counts: true });
  });

  it('does not count what the rollout that is taken back has made', () => {
    expect(verdict(entry({ rollout: 'r2' }), live(), { mode: 'rollback' })).toEqual({ kind: 'Delete', counts: false });
    const successor = { mode: 'rollback', rollout: 'r3', lineage: ['r2'] } as const;
    expect(verdict(entry({ rollout: 'r2' }), live(), successor)).toEqual({ kind: 'Delete', counts: false });
    expect(verdict(entry(), live(), { mode: 'rollback' })).toEqual({ kind: 'Delete', counts: true });
  });

  it.each([
    ['gone', entry(), null, {}, { kind: 'Forget' }],
    [
      'still expected of a predecessor',
      entry({ uid: null, suspectSince: 9_999_000 }),
      null,
      {},
      { kind: 'Keep', reason: 'Suspect' },
    ],
    ['expected for too long', entry({ uid: null, suspectSince: 1 }), null, {}, { kind: 'Forget' }],
    [
      'another object of that name',
      entry(),
      live('u2', null),
      {},
      { kind: 'Release', reason: 'NotOurs', marked: false },
    ],
    [
      'another application’s',
      entry(),
      live('u1', 'other'),
      {},
      { kind: 'Release', reason: 'OwnedByAnotherApplication', marked: false },
    ],
    [
      'of a protected kind',
      entry({ key: 'PersistentVolumeClaim/shop/a' as ObjectKey }),
      live(),
      {},
      { kind: 'Keep', reason: 'Protected' },
    ],
    [
      'adopted, in a rollback',
      entry({ origin: 'adopted' }),
      live(),
      { mode: 'rollback' },
      { kind: 'Keep', reason: 'Adopted' },
    ],
    [
      'a namespace that was there before us',
      entry({ key: 'Namespace//shop' as ObjectKey, origin: 'adopted' }),
      live(),
      {},
      { kind: 'Release', reason: 'Adopted', marked: true },
    ],
  ])('does not delete what is %s', (_what, it, object, changes, expected) => {
    expect(verdict(it, object, changes)).toEqual(expected);
  });

  it.each([
    ['ConfigMap/shop/a', 'ConfigMap/shop/a', true],
    ['ConfigMap/shop/a', 'ConfigMap/shop/b', false],
    ['ConfigMap/shop/a', 'ConfigMap//a', true],
    ['example.com/Lamp//a', 'example.com/Lamp/shop/a', true],
    ['Namespace//shop', 'ConfigMap/shop/b', true],
    ['Namespace//other', 'ConfigMap/shop/b', false],
  ])('%s with %s to be kept: %s', (key, keep, kept) => {
    expect(isKept(key as ObjectKey, new Set([keep]))).toBe(kept);
  });
});
