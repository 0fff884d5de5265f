import type { ReleaseRecord } from '@breakwater/application';
import type { RolloutId } from '@breakwater/domain';
import type { RecordUnderTest } from './record-under-test.ts';
import { SHORT, someEvent, someRollout, someTarget, store } from './record-fixtures.ts';

const seen = (uid: string) => ({ kind: 'Seen', uid, version: 'v1.35.0' }) as const;
const gone = { kind: 'Unreachable', reason: 'Timeout', message: 'no answer' } as const;

const someRelease = (
  commit: string,
  changes: Partial<ReleaseRecord> = {},
): Omit<ReleaseRecord, 'createdAt' | 'sequence'> => ({
  application: 'shop',
  commit,
  digest: `sha256:${commit}`,
  bundles: { c1: 'sha256:b' },
  spec: { namespace: 'shop' },
  state: 'Good',
  reason: '',
  errors: [],
  ...changes,
});

export const describeClustersAndSync = (subject: () => RecordUnderTest): void => {
  describe('clusters', () => {
    it('are bound to the uid that was seen first', async () => {
      const { record } = subject();
      expect(await record.cluster.get('c1')).toBeNull();
      expect(await record.cluster.observe('c1', gone)).toMatchObject({
        state: 'Unreachable',
        uid: null,
        lastSeen: null,
      });
      expect(await record.cluster.observe('c1', seen('u1'))).toMatchObject({ state: 'Ready', uid: 'u1', reason: '' });
      expect(await record.cluster.observe('c1', seen('u1'))).toMatchObject({ state: 'Ready', uid: 'u1' });
      expect(await record.cluster.observe('c1', seen('u2'))).toMatchObject({ state: 'Replaced', uid: 'u1' });
      expect(await record.cluster.observe('c2', seen('u1'))).toMatchObject({
        state: 'Refused',
        reason: 'DuplicateIdentity',
        uid: null,
      });
      expect((await record.cluster.list()).map(({ name }) => name)).toEqual(['c1', 'c2']);
      await record.audit.seal(10);
      const changes = (await record.audit.after(0, 10, { cluster: 'c1' })).map(({ data }) => data?.['to']);
      expect(changes).toEqual(['Unreachable', 'Ready', 'Replaced']);
    });

    it('bind one uid to one name, when many come at once', async () => {
      const { record } = subject();
      const names = Array.from({ length: 8 }, (_, n) => `c${n}`);
      const observed = await Promise.all(names.map((name) => record.cluster.observe(name, seen('same'))));
      expect(observed.filter(({ state }) => state === 'Ready')).toHaveLength(1);
      expect(observed.filter(({ reason }) => reason === 'DuplicateIdentity')).toHaveLength(7);
    });

    it('start anew when a person accepts a replaced one, and only then', async () => {
      const { record } = subject();
      const revision = { commit: 'c', digest: 'd' };
      await record.cluster.observe('c1', seen('u1'));
      await store(record, someRollout('r1'), [someTarget('r1', 'c1', { owes: 'back' })]);
      await record.transaction(async (tx) => {
        await tx.nextEpoch('shop', 'c1', 0);
        await tx.setLastGood('shop', 'c1', revision);
        await tx.setRunning('shop', 'c1', revision);
        await tx.setInventoryExpected('shop', 'c1', true);
        await tx.followDebt('shop', 'c1');
      });
      expect(await record.cluster.accept('c1', 'noor')).toMatchObject({ state: 'Ready', uid: 'u1' });
      expect((await record.cluster.application('shop', 'c1'))?.lastGood).toEqual(revision);
      await record.cluster.observe('c1', seen('u2'));
      expect(await record.cluster.accept('c1', 'noor')).toMatchObject({ state: 'Ready', uid: 'u2' });
      expect(await record.cluster.application('shop', 'c1')).toEqual({
        application: 'shop',
        cluster: 'c1',
        running: null,
        lastGood: null,
        owed: null,
        blockedBy: null,
        epoch: 1,
        inventoryExpected: false,
      });
      expect(await record.cluster.accept('nobody', 'noor')).toBeNull();
    });

    it('are quarantined by a person until they are released, whatever contacts say of them', async () => {
      const { record } = subject();
      const quarantined = () => record.transaction((tx) => tx.quarantines());
      await record.cluster.observe('c1', seen('u1'));
      expect((await record.cluster.get('c1'))?.quarantine).toBeNull();
      const order = { by: 'noor', reason: 'disks \u0000 fail' };
      const held = await record.cluster.setQuarantine('c1', true, order);
      expect(held).toMatchObject({ state: 'Ready', uid: 'u1', quarantine: order });
      await record.cluster.setQuarantine('unseen', true, { by: 'noor', reason: 'new' });
      await record.cluster.observe('c1', gone);
      await record.cluster.observe('c1', seen('u1'));
      expect(await record.cluster.get('c1')).toMatchObject({ state: 'Ready', uid: 'u1', quarantine: held.quarantine });
      expect([...(await quarantined()).keys()].sort()).toEqual(['c1', 'unseen']);
      expect((await quarantined()).get('c1')).toEqual(held.quarantine);
      await record.cluster.setQuarantine('c1', false, { by: 'mara', reason: 'repaired' });
      expect((await record.cluster.get('c1'))?.quarantine).toBeNull();
      expect([...(await quarantined()).keys()]).toEqual(['unseen']);
      await record.audit.seal(20);
      const said = (await record.audit.after(0, 20, { cluster: 'c1' })).map(({ type, actor }) => [type, actor]);
      expect(said).toContainEqual(['cluster.quarantined', 'noor']);
      expect(said).toContainEqual(['cluster.released', 'mara']);
    });

    it('tell whether they can be reached', async () => {
      const { record } = subject();
      const reachable = () => record.transaction((tx) => tx.clusterIsReachable('c1'));
      expect(await reachable()).toBe(true);
      await record.cluster.observe('c1', gone);
      expect(await reachable()).toBe(false);
      await record.cluster.observe('c1', seen('u1'));
      expect(await reachable()).toBe(true);
    });

    it('list what is on them, and where an application is, locks alone too', async () => {
      const { record } = subject();
      await record.transaction(async (tx) => {
        await tx.nextEpoch('shop', 'c1', 4);
        await tx.acquireLock('bank', 'c1', 'r1' as RolloutId);
        await tx.nextEpoch('shop', 'c2', 0);
      });
      const on = await record.cluster.applicationsOn('c1');
      expect(on.map(({ application, epoch, blockedBy }) => [application, epoch, blockedBy])).toEqual([
        ['bank', 0, 'r1'],
        ['shop', 5, null],
      ]);
      expect((await record.cluster.applicationEverywhere('shop')).map(({ cluster }) => cluster)).toEqual(['c1', 'c2']);
    });
  });

  describe('what Git brought', () => {
    it('keeps repositories and snapshots, with their events', async () => {
      const { record } = subject();
      const repository = {
        name: 'fleet',
        url: 'file:///fleet',
        ref: 'main',
        state: 'Synced' as const,
        message: '',
        observed: { commit: 'c1', at: 1 },
        good: null,
        errors: [],
        triedAt: 1,
      };
      await record.sync.saveRepository(repository, [someEvent('synced', { repository: 'fleet' })]);
      await record.sync.saveRepository({ ...repository, message: 'again' }, []);
      expect(await record.sync.repository('fleet')).toEqual({ ...repository, message: 'again' });
      expect(await record.sync.repositories()).toHaveLength(1);
      const snapshot = { id: 's1', repository: 'fleet', commit: 'c1', model: { clusters: ['a'] }, at: 1 };
      await record.sync.saveSnapshot(snapshot, []);
      await record.sync.saveSnapshot({ ...snapshot, id: 's2' }, [someEvent('snapshot')]);
      expect(await record.sync.snapshot('fleet')).toEqual({ ...snapshot, id: 's2' });
      expect(await record.sync.snapshots()).toHaveLength(1);
      expect(await record.sync.snapshot('nothing')).toBeNull();
      expect(await record.audit.seal(10)).toBe(2);
    });

    it('keeps the order in which releases came, and that one was bad', async () => {
      const { record } = subject();
      const first = await record.sync.saveRelease(someRelease('c1'), []);
      const second = await record.sync.saveRelease(someRelease('c2'), []);
      await record.sync.saveRelease(someRelease('c3', { state: 'Invalid', errors: [{ reason: 'Schema' }] }), []);
      expect(second.sequence).toBeGreaterThan(first.sequence);
      expect((await record.sync.newestRelease('shop'))?.commit).toBe('c2');
      await record.transaction((tx) => tx.setReleaseState('shop', 'c2', 'Bad', 'rolled back'));
      expect(await record.sync.saveRelease(someRelease('c2'), [])).toMatchObject({
        state: 'Bad',
        reason: 'rolled back',
      });
      expect((await record.sync.saveRelease(someRelease('c1'), [])).sequence).toBe(first.sequence);
      expect(await record.transaction((tx) => tx.release('shop', 'c2'))).toMatchObject({
        state: 'Bad',
        spec: { namespace: 'shop' },
      });
      expect(await record.sync.saveRelease(someRelease('c2', { digest: 'sha256:new' }), [])).toMatchObject({
        state: 'Good',
      });
      const page = await record.sync.releases({ application: 'shop', limit: 2 });
      expect(page.items.map(({ commit }) => commit)).toEqual(['c3', 'c2']);
      const rest = await record.sync.releases({ application: 'shop', limit: 2, cursor: page.nextCursor });
      expect(rest.items.map(({ commit }) => commit)).toEqual(['c1']);
      expect(await record.sync.newestRelease('bank')).toBeNull();
    });

    it('stores a bundle once', async () => {
      const { record } = subject();
      await record.sync.putBundle('d1', new Uint8Array([1, 2, 3]));
      await record.sync.putBundle('d1', new Uint8Array([9]));
      expect([...((await record.sync.bundle('d1')) ?? [])]).toEqual([1, 2, 3]);
      expect(await record.sync.bundle('d2')).toBeNull();
      expect(await record.sync.hasBundles(['d1', 'd2'])).toEqual(new Set(['d1']));
    });

    it('leases to one, until it runs out', async () => {
      const { record, pass } = subject();
      expect(await record.sync.lease('sync', 'w1', SHORT)).toBe(true);
      expect(await record.sync.lease('sync', 'w2', LEASE)).toBe(false);
      expect(await record.sync.lease('sync', 'w1', SHORT)).toBe(true);
      await pass(SHORT + 200);
      expect(await record.sync.lease('sync', 'w2', LEASE)).toBe(true);
    });

    it('asks and answers', async () => {
      const { record } = subject();
      const request = { id: 'q1', repository: 'fleet', kind: 'sync', application: null, revision: null } as const;
      const answer = { ok: true, code: 'Synced', message: '', commit: 'c1', errors: [] };
      await record.sync.ask(request);
      expect(await record.sync.openRequests()).toEqual([{ ...request, answer: null }]);
      await record.sync.answer('q1', answer);
      await record.sync.answer('q1', { ...answer, ok: false });
      expect(await record.sync.request('q1')).toEqual({ ...request, answer });
      expect(await record.sync.openRequests()).toEqual([]);
      expect(await record.sync.request('q2')).toBeNull();
    });
  });

  describe('access', () => {
    it('keeps tokens, credentials and settings', async () => {
      const { record } = subject();
      expect(await record.access.hasTokens()).toBe(false);
      await record.access.addToken({ name: 'ci', hash: 'h1', role: 'operator' });
      expect(await record.access.hasTokens()).toBe(true);
      expect(await record.access.findToken('h1')).toEqual({ name: 'ci', role: 'operator' });
      expect(await record.access.findToken('h2')).toBeNull();
      await record.access.putCredential('c1', new Uint8Array([1]));
      const before = await record.access.credential('c1');
      await record.access.putCredential('c1', new Uint8Array([2]));
      const after = await record.access.credential('c1');
      expect([...(after?.sealed ?? [])]).toEqual([2]);
      expect(after?.version).not.toBe(before?.version);
      expect(await record.access.setting('stop')).toBeNull();
      await record.access.setSetting('stop', { by: 'mara' });
      expect(await record.access.setting('stop')).toEqual({ by: 'mara' });
      expect(await record.installation()).toBe(await record.installation());
      expect(await record.installation()).not.toBe('');
    });
  });
};

const LEASE = 60_000;
