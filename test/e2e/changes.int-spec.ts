import { createFleetCommands } from '@breakwater/application';
import type { ClusterChanges } from '@breakwater/application';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { configMap, deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const HELD = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, approval: { required: 1 } }`;

const bundle = (version: string) => [configMap('settings', 'web', { version }), deployment('web', 'web', 'shop/web:1')];
const WEB = '/apis/apps/v1/namespaces/web/deployments/web';
const image = (name: string) => ({ spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } } });

describeWithTestbed('what changed on a cluster', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'e2e changes' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(async () => {
    await bed.reset();
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' } },
      documents: fleetAndApplication() + strategy({ waves: HELD, more: '  onFailure: { action: halt }' }),
    });
    await stage.start();
  }, 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  const changesOn = (cluster: string): Promise<ClusterChanges> =>
    createFleetCommands({ record: stage.record }).changesOn(cluster, {});
  const told = ({ changes }: ClusterChanges): readonly string[] =>
    changes.map(({ rank, relation, kind, by }) => `${rank} ${relation} ${kind} by ${by}`);
  const edit = async (name: string): Promise<void> => {
    const { status } = await stage.cluster('c0').request('PATCH', `${WEB}?fieldManager=kubectl-edit`, image(name), {
      as: 'foreign',
      contentType: 'application/strategic-merge-patch+json',
    });
    expect(status).toBe(200);
  };

  it('after a release, and an edit by hand that breaks it, the edit comes first and the release behind it', async () => {
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')), { reason: 'friday' });
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded');
    await edit('shop/web:broken');
    await stage.until(id, ({ state }) => state === 'Halted', 90_000);
    await stage.record.audit.seal(1_000);

    const changes = await changesOn('c0');
    expect(changes).toMatchObject({
      cluster: 'c0',
      notLookedAt: [],
      signal: { kind: 'TargetRegressed', application: 'web', rollout: id },
    });
    const ofWeb = changes.changes.filter(({ kind }) => kind !== 'node');
    expect(ofWeb).toMatchObject([
      {
        rank: 1,
        relation: 'before',
        kind: 'edit',
        by: 'kubectl-edit',
        object: 'apps/Deployment/web/web',
        application: 'web',
        what: expect.stringContaining('spec.template.spec.containers[name=main].image') as string,
      },
      { relation: 'before', kind: 'release', by: 'test', reason: 'friday', rollout: id },
      { relation: 'before', kind: 'command', by: 'test' },
    ]);
    expect(changes.signals.map(({ kind }) => kind)).toContain('TargetFailed');
    // The other cluster was not reached, and nothing broke there.
    const untouched = await changesOn('c1');
    expect(untouched.signal).toBeNull();
    expect(untouched.changes.filter(({ kind }) => kind === 'edit' || kind === 'release')).toEqual([]);
  }, 150_000);

  it.each(['report', 'force'])(
    'an automatic rollback does not hide the edit, with conflicts: %s',
    async (conflicts) => {
      stage.documents = fleetAndApplication(`  conflicts: ${conflicts}\n`) + strategy({ waves: HELD });
      const first = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
      await stage.until(first.id, ({ waves }) => waves[1]?.state === 'AwaitingApproval');
      await stage.commands.approve(first.id, { wave: 'rest' }, { name: 'somebody else' });
      expect(await stage.end(first.id)).toMatchObject({ state: 'Succeeded' });
      const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('2')));
      await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded');
      await edit('shop/web:broken');
      // Taken over by force, or in the way of the return: either ends the rollout.
      expect(await stage.end(id, 90_000)).toMatchObject({
        state: conflicts === 'force' ? 'RolledBack' : 'RollbackFailed',
      });
      await stage.record.audit.seal(1_000);
      const { changes } = await changesOn('c0');
      expect(changes[0]).toMatchObject({ kind: 'edit', by: 'kubectl-edit', object: 'apps/Deployment/web/web' });
      expect(changes.filter(({ kind }) => kind === 'edit')).toHaveLength(1);
    },
    150_000,
  );

  it('a cluster that is away is told by the record alone, and says what was not looked at', async () => {
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded');
    await edit('shop/web:2');
    await bed.clusters[0]!.kill();
    await stage.record.audit.seal(1_000);
    const changes = await changesOn('c0');
    expect(told(changes).filter((line) => / (edit|node) /.test(line))).toEqual([]);
    expect(told(changes).some((line) => line.includes(' release by test'))).toBe(true);
    expect(changes.notLookedAt).toEqual([
      { what: 'foreign edits', reason: expect.stringMatching(/^Connection/) as string },
      { what: 'nodes', reason: expect.stringMatching(/^Connection/) as string },
    ]);
    await bed.clusters[0]!.restart();
    let again = await changesOn('c0');
    // Ready, and for a moment still slower than a look is patient.
    for (const until = Date.now() + 60_000; again.notLookedAt.length > 0 && Date.now() < until;) {
      again = await changesOn('c0');
    }
    expect(again.notLookedAt).toEqual([]);
    expect(again.changes.filter(({ kind }) => kind === 'edit')).toMatchObject([{ by: 'kubectl-edit' }]);
  }, 150_000);
});
