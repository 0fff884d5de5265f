import type { KubeObject, Rollout, Target } from '@breakwater/domain';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const GROUP = 'data.example.com';
const DATABASE = `/apis/${GROUP}/v1/namespaces/web/databases/orders`;

const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `databases.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'databases', singular: 'database', kind: 'Database' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

const bundle = (version: string): readonly KubeObject[] => [
  definition,
  { apiVersion: `${GROUP}/v1`, kind: 'Database', metadata: { name: 'orders', namespace: 'web' }, spec: { version } },
];

/** Without a rule the object would be healthy as soon as it is there: it sets no conditions. */
const RULE = `
---
apiVersion: breakwater.dev/v1alpha1
kind: HealthRule
metadata: { name: databases }
spec:
  group: ${GROUP}
  kind: Database
  ready: object.status.phase == "Ready" && object.status.version == object.spec.version
  failed: object.status.phase == "Failed"
  message: '"phase " + object.status.phase + ", " + object.status.reason'
`;

/** True of whatever there is. */
const LENIENT = RULE.replace(/ready: .*/, 'ready: "true"').replace(/ {2}failed: .*\n/, '');

const staged = strategy({
  timeout: '100s',
  waves: `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest }`,
});

describeWithTestbed('health rules of the users, on real servers', () => {
  let bed: Testbed;
  let stage: RolloutStage;

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 2, label: 'e2e health rules' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(async () => {
    await bed.reset();
    const documents = fleetAndApplication() + staged + RULE;
    stage = new RolloutStage({ clusters: bed.clusters, labels: { c0: { role: 'canary' } }, documents });
    await stage.start();
  }, 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  /** What the controller of the databases would write. */
  const report = async (cluster: string, version: string, phase: string, reason: string): Promise<void> => {
    const status = { status: { version, phase, reason } };
    const patch = { contentType: 'application/merge-patch+json' };
    const answer = await stage.cluster(cluster).request('PATCH', `${DATABASE}/status`, status, patch);
    expect(answer.status).toBe(200);
  };
  const waits = (id: Rollout['id'], cluster: string, words: string): Promise<Target> =>
    stage.untilTarget(
      id,
      cluster,
      ({ state, evidence }) => state === 'Verifying' && evidence?.text.includes(words) === true,
    );
  const start = async (version: string): Promise<Rollout> =>
    stage.rollOut('web', await stage.commit('web', () => bundle(version)));
  /** A release that its databases have followed everywhere. */
  const settle = async (version: string): Promise<void> => {
    const { id } = await start(version);
    for (const cluster of ['c0', 'c1']) {
      await stage.untilTarget(id, cluster, ({ state }) => state === 'Verifying');
      await report(cluster, version, 'Ready', 'up');
    }
    expect((await stage.end(id)).state).toBe('Succeeded');
  };

  it('hold a cluster until the status is as the rule says, by the rule that the plan has pinned', async () => {
    const { id } = await start('1');
    const young = await waits(id, 'c0', 'not ready by the rule for its kind');
    expect(young.evidence?.object).toBe(`${GROUP}/Database/web/orders`);
    await report('c0', '1', 'Progressing', 'step 1');
    await waits(id, 'c0', 'phase Progressing, step 1');
    // From here on Git says that anything will do: a rollout that is under way does not hear of it.
    stage.documents = stage.documents.replace(RULE, LENIENT);
    await stage.commit('web', () => bundle('2'));
    await report('c0', '1', 'Progressing', 'step 2');
    await waits(id, 'c0', 'phase Progressing, step 2');
    const { blockers } = await stage.commands.explain(id);
    expect(blockers).toMatchObject([
      {
        reason: 'GatePending',
        wave: 'canary',
        cluster: 'c0',
        object: `${GROUP}/Database/web/orders`,
        evidence: 'phase Progressing, step 2',
      },
    ]);
    expect((await stage.target(id, 'c1')).state).toBe('Pending');
    await report('c0', '1', 'Ready', 'up');
    await stage.untilTarget(id, 'c1', ({ state }) => state === 'Verifying');
    await report('c1', '1', 'Ready', 'up');
    expect((await stage.end(id)).state).toBe('Succeeded');
    // The next plan has the new rule.
    expect((await stage.release(() => bundle('2'))).state).toBe('Succeeded');
  }, 120_000);

  it('halt a release whose status says Failed, and hold its rollback to the same rule', async () => {
    await settle('1');
    const { id } = await start('2');
    // Version 1 still runs: the rule looks at more than the phase.
    await waits(id, 'c0', 'phase Ready, up');
    await report('c0', '2', 'Failed', 'the schema cannot be migrated');
    const back = await stage.untilTarget(id, 'c0', ({ state, phase }) => state === 'RollingBack' && phase === 'verify');
    expect(back.everFailed).toBe(true);
    const rolling = (await stage.record.rollouts.get(id))!;
    expect(rolling).toMatchObject({ state: 'RollingBack', rollback: { automatic: true } });
    await stage.record.audit.seal(1_000);
    const events = await stage.record.audit.after(0, 1_000, { rollout: id, cluster: 'c0' });
    expect(events.find(({ data }) => data?.['to'] === 'Failed')).toMatchObject({
      reason: 'FailedByRule',
      data: { object: `${GROUP}/Database/web/orders`, evidence: 'phase Failed, the schema cannot be migrated' },
    });
    await report('c0', '1', 'Progressing', 'going back');
    await stage.untilTarget(id, 'c0', ({ evidence }) => evidence?.text === 'phase Progressing, going back');
    await report('c0', '1', 'Ready', 'up again');
    expect(await stage.end(id)).toMatchObject({ state: 'RolledBack', reason: 'FailureBudgetExceeded' });
    expect(await stage.target(id, 'c1')).toMatchObject({ touched: false });
    const live = (await stage.cluster('c0').request('GET', DATABASE)).body as unknown as { spec: { version: string } };
    expect(live.spec.version).toBe('1');
  }, 120_000);

  it('keep watching a cluster that was verified', async () => {
    await settle('1');
    const { id } = await start('2');
    await waits(id, 'c0', 'phase Ready, up');
    await report('c0', '2', 'Ready', 'up');
    await waits(id, 'c1', 'phase Ready, up');
    await report('c0', '2', 'Failed', 'the disk is full');
    await stage.until(id, ({ state }) => state === 'RollingBack', 90_000);
    expect((await stage.target(id, 'c0')).message).toContain('after it was verified: phase Failed, the disk is full');
    await stage.untilTarget(id, 'c1', ({ state, phase }) => state === 'RollingBack' && phase === 'verify');
    await report('c1', '1', 'Ready', 'up');
    await stage.untilTarget(id, 'c0', ({ state, phase }) => state === 'RollingBack' && phase === 'verify');
    await report('c0', '1', 'Ready', 'up');
    expect((await stage.end(id)).state).toBe('RolledBack');
  }, 180_000);

  it('that cannot be asked keep a cluster from being verified, say why, and take the release back', async () => {
    const dear = RULE.replace(/ready: .*/, 'ready: object.status.parts.all(a, object.status.parts.all(b, a + b > 0))');
    stage.documents = stage.documents.replace(RULE, dear).replace('timeout: 100s', 'timeout: 12s');
    const { id } = await start('1');
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Verifying');
    const parts = Array.from({ length: 1_000 }, () => 1);
    const patch = { contentType: 'application/merge-patch+json' };
    await stage.cluster('c0').request('PATCH', `${DATABASE}/status`, { status: { parts } }, patch);
    expect(await stage.end(id)).toMatchObject({ state: 'RolledBack' });
    await stage.record.audit.seal(1_000);
    const events = await stage.record.audit.after(0, 1_000, { rollout: id, cluster: 'c0' });
    expect(events.find(({ data }) => data?.['to'] === 'Failed')).toMatchObject({
      data: { evidence: expect.stringContaining('the expression needs more than') as string },
    });
    expect((await stage.cluster('c0').request('GET', DATABASE)).status).toBe(404);
  }, 120_000);
});
