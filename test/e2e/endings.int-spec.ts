import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const ada = { name: 'ada', role: 'operator' };
const WEB = '/apis/apps/v1/namespaces/web/deployments/web';

describeWithTestbed('how and when rollouts end, on real servers', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  const begin = async (more: Parameters<typeof strategy>[0]): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' } },
      documents: fleetAndApplication() + strategy(more),
    });
    await stage.start();
  };

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'e2e endings' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release(), 60_000);

  it('is no success over a cluster that fell ill after it was verified, however short ago', async () => {
    const waves = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, approval: { required: 1 } }`;
    await begin({ waves, timeout: '8s', more: '  onFailure: { action: halt }' });
    const commit = await stage.commit('web', (name) => [
      // Ready for long enough to pass the gate, and then for good not any more.
      deployment('web', 'web', `shop/web:1${name === 'c0' ? '-degrades-4s' : ''}`),
    ]);
    const { id } = await stage.rollOut('web', commit);
    await stage.until(id, ({ waves: [, rest] }) => rest?.state === 'AwaitingApproval');
    await stage
      .cluster('c0')
      .waitFor<{ status?: { readyReplicas?: number } }>(WEB, ({ status }) => (status?.readyReplicas ?? 0) === 0);
    // The record still has what was seen then: the canary is looked at again within half a minute only.
    expect((await stage.target(id, 'c0')).state).toBe('Succeeded');
    await stage.commands.approve(id, { wave: 'rest' }, ada);
    await stage.untilTarget(id, 'c1', ({ state }) => state === 'Succeeded');
    const halted = await stage.until(id, ({ state }) => state !== 'Progressing');
    expect(halted).toMatchObject({ state: 'Halted', reason: 'FailureBudgetExceeded' });
    expect((await stage.target(id, 'c0')).everFailed).toBe(true);
  }, 120_000);

  it('is told ahead from what clusters took: in this rollout, or else in the one before', async () => {
    await begin({ waves: '\n    - { name: all, maxConcurrent: 1 }' });
    const render = (version: number) => () => [deployment('web', 'web', `shop/web:${version}-delay-6s`)];

    const first = await stage.rollOut('web', await stage.commit('web', render(1)));
    await stage.untilTarget(first.id, 'c0', ({ state }) => state === 'Verifying');
    expect((await stage.commands.explain(first.id)).expectedEnd).toBeNull();
    const one = await stage.untilTarget(first.id, 'c0', ({ state }) => state === 'Succeeded');
    const asked = Date.now();
    const own = (await stage.commands.explain(first.id)).expectedEnd;
    const took = one.finishedAt! - one.startedAt!;
    expect(own).toMatchObject({ basis: expect.stringContaining('1 measured cluster') as string });
    const { finishedAt } = await stage.end(first.id);
    // One more cluster of the same kind: the reckoning is out by less than what one takes.
    expect(own!.latest).toBeGreaterThan(asked);
    expect(Math.abs(own!.latest - finishedAt!)).toBeLessThan(took);

    const second = await stage.rollOut('web', await stage.commit('web', render(2)));
    await stage.untilTarget(second.id, 'c0', ({ state }) => state === 'Verifying');
    const told = (await stage.commands.explain(second.id)).expectedEnd;
    expect(told).toMatchObject({
      basis: expect.stringContaining('2 measured clusters of the rollout before') as string,
    });
    expect(told!.latest).toBeGreaterThan(Date.now() + took / 2);
    expect(await stage.end(second.id)).toMatchObject({ state: 'Succeeded' });
  }, 120_000);
});
