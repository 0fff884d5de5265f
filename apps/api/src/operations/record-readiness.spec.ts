import { createMemoryRecord } from '@breakwater/testing';
import { FakeRollouts } from '../testing/fake-rollouts.ts';
import { recordReadiness } from './record-readiness.ts';

const scene = async () => {
  let now = 1_700_000_000_000;
  const record = createMemoryRecord({ now: () => now });
  const repository = { name: 'fleet', url: 'u', ref: 'main', message: '', observed: null, good: null, errors: [] };
  await record.sync.saveRepository({ ...repository, state: 'Synced', triedAt: 1 }, []);
  const due = async () => {
    const { rollout } = await new FakeRollouts(record).start({ application: 'podinfo' }, { name: 'mara' });
    await record.transaction((tx) => tx.saveRollout(rollout, now));
  };
  return { record, due, ready: recordReadiness(record), pass: (ms: number) => (now += ms) };
};

it('is ready while nothing is due, or not for long', async () => {
  const { due, ready, pass } = await scene();
  pass(600_000);
  expect(await ready()).toMatchObject({ ok: true, checks: { sync: { ok: true }, workers: { ok: true } } });
  await due();
  pass(59_000);
  expect(await ready()).toMatchObject({ ok: true });
});

it('is not ready once no worker has taken what is due, or seen a cluster, for a minute', async () => {
  const { record, due, ready, pass } = await scene();
  await due();
  pass(61_000);
  expect(await ready()).toEqual({
    ok: false,
    checks: { sync: { ok: true }, workers: { ok: false, message: 'work is due, and no rollout worker takes it' } },
  });
  await record.cluster.observe('eu-west-1a', { kind: 'Seen', uid: 'u1', version: 'v1.35.0' });
  expect(await ready()).toMatchObject({ ok: true });
  pass(61_000);
  expect(await ready()).toMatchObject({ ok: false });
  await record.rollouts.claimDueRollouts(1, 5_000);
  expect(await ready()).toMatchObject({ ok: true });
});

it('is not ready before the first sync was tried', async () => {
  const record = createMemoryRecord({ now: () => 1 });
  expect(await recordReadiness(record)()).toMatchObject({ ok: false, checks: { sync: { ok: false } } });
});
