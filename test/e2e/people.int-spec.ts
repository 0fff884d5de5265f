import { createFleetCommands, readReport, type RecordPort, type StoredAuditEvent } from '@breakwater/application';
import type { Rollout } from '@breakwater/domain';
import { createGateProbes } from '@breakwater/gates';
import { acquireTestbed, requireTestbed, type Testbed, TESTBED_TIMEOUT_MS } from '@breakwater/testing';
import { allWrites } from '../support/live-objects.ts';
import { type PostgresRecords, startPostgresRecords } from '../support/postgres-records.ts';
import {
  configMap,
  deployment,
  fleetAndApplication,
  PERSON,
  RolloutStage,
  strategy,
} from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();

const ada = { name: 'ada', role: 'operator' };
const ben = { name: 'ben', role: 'operator' };
const admin = { name: 'root', role: 'admin' };

const bundle = () => [configMap('settings', 'web', { version: '1' }), deployment('web', 'web', 'shop/web:1')];

/** A cluster says itself whether it is fit: an object that is none of the release's. */
const FITNESS = '/api/v1/namespaces/fitness/configmaps/fitness';
const fitnessGate = (phase: 'during' | 'after'): string => `
    - name: fitness
      phase: ${phase}
      interval: 1s
      count: 1
      cel:
        objects: [ { apiVersion: v1, kind: ConfigMap, name: fitness, namespace: fitness } ]
        success: object.data.is == "fit"
`;

const wholeSeconds = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`;

describeWithTestbed('people in the loop, on real servers', () => {
  let bed: Testbed;
  let records: PostgresRecords;
  let record: RecordPort;
  let stage: RolloutStage;

  const begin = async (documents: string, members: readonly string[] = ['c0', 'c1', 'c2']): Promise<void> => {
    record = await records.fresh();
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels: { c0: { role: 'canary' }, c1: { role: 'second' } },
      documents: fleetAndApplication() + documents,
      members,
      record,
      probes: createGateProbes({ allowedHosts: [], secretsDirectory: null }),
    });
    await stage.start();
  };
  const start = async (): Promise<Rollout['id']> =>
    (await stage.rollOut('web', await stage.commit('web', () => bundle()))).id;
  /** Times at which its API server received a write of ours; its own audit log says so, not the record. */
  const writesOn = async (name: string): Promise<readonly number[]> =>
    (await allWrites(stage.cluster(name))).map(({ at }) => at);
  const events = async (type: string): Promise<readonly StoredAuditEvent[]> => {
    await record.audit.seal(10_000);
    return (await record.audit.after(0, 10_000)).filter((event) => event.type === type);
  };
  const setFitness = async (name: string, is: 'fit' | 'unfit'): Promise<void> => {
    await stage.cluster(name).createNamespace('fitness');
    await stage.cluster(name).apply(FITNESS, configMap('fitness', 'fitness', { is }));
  };
  const untilAwaitingApproval = (id: Rollout['id'], wave: string): Promise<Rollout> =>
    stage.until(id, ({ waves }) => waves.find(({ name }) => name === wave)?.state === 'AwaitingApproval');

  beforeAll(async () => {
    records = await startPostgresRecords();
    bed = await acquireTestbed({ clusters: 4, label: 'e2e people' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(async () => {
    await records?.stop();
    await bed?.release();
  }, 60_000);

  it('approve: two others have to, one of them twice is one, and what has expired is nothing', async () => {
    const waves = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } }, approval: { required: 2 } }
    - { name: rest, approval: { required: 1, expires: 1s } }`;
    await begin(strategy({ waves }));
    const id = await start();
    // Ahead of its turn: two waves of at least a second each come before it.
    await stage.commands.approve(id, { wave: 'rest' }, ada);

    await untilAwaitingApproval(id, 'second');
    await expect(stage.commands.approve(id, { wave: 'second' }, PERSON)).rejects.toMatchObject({ code: 'FourEyes' });
    await stage.commands.approve(id, { wave: 'second', reason: 'looked at it' }, ada);
    await stage.commands.approve(id, { wave: 'second' }, ada);
    const waiting = await stage.commands.explain(id);
    expect(waiting.blockers).toMatchObject([{ reason: 'AwaitingApproval', wave: 'second' }]);
    expect(waiting.summary).toContain('1 of 2 approvals (ada)');
    expect(await writesOn('c1')).toEqual([]);
    await stage.commands.approve(id, { wave: 'second' }, ben);

    await untilAwaitingApproval(id, 'rest');
    expect((await stage.commands.explain(id)).summary).toContain('0 of 1 approvals');
    expect(await writesOn('c2')).toEqual([]);
    await stage.commands.approve(id, { wave: 'rest' }, ada);

    expect(await stage.end(id)).toMatchObject({ state: 'Succeeded', message: 'all of 3 clusters verified' });
    const said = await events('wave.approved');
    expect(said.map(({ actor, data }) => `${actor} ${String(data?.['wave'])}`)).toEqual([
      'ada rest',
      'ada second',
      'ben second',
      'ada rest',
    ]);
    expect(said[1]!.reason).toBe('looked at it');
    expect(Math.min(...(await writesOn('c1')))).toBeGreaterThanOrEqual(said[2]!.at);
    expect(Math.min(...(await writesOn('c2')))).toBeGreaterThanOrEqual(said[3]!.at);
  }, 120_000);

  it('override: a gate that has halted the rollout is let through, by name and with a reason', async () => {
    const waves = `
    - { name: canary, clusters: { matchLabels: { role: canary } } }
    - { name: rest, maxConcurrent: 100% }`;
    const halting = strategy({ waves, more: '  onFailure: { action: halt }' });
    await begin(
      halting.replace(
        '  gates:\n',
        `  gates:\n${fitnessGate('after').replace('interval', 'waves: [canary]\n      interval')}`,
      ),
    );
    await setFitness('c0', 'unfit');
    const id = await start();
    const halted = await stage.until(id, ({ state }) => state === 'Halted');
    expect(halted).toMatchObject({ reason: 'GateFailed' });
    expect(halted.message).toContain('fitness');

    const place = { wave: 'canary', gate: 'fitness' };
    const { override } = stage.commands;
    await expect(override(id, { ...place, reason: ' ' }, ada)).rejects.toMatchObject({ code: 'ReasonNeeded' });
    await expect(
      override(id, { ...place, gate: 'workloads-ready', cluster: 'c0', reason: 'hurry' }, ada),
    ).rejects.toMatchObject({ code: 'GateNotFound' });
    await expect(stage.commands.resume(id, {}, ada)).rejects.toMatchObject({ code: 'ReasonNeeded' });
    expect((await stage.commands.find(id)).state).toBe('Halted');
    await override(id, { ...place, reason: 'a known false alarm' }, ada);
    expect(await writesOn('c1')).toEqual([]);
    await stage.commands.resume(id, { reason: 'the gate is overridden' }, ben);

    const ended = await stage.end(id);
    expect(ended).toMatchObject({
      state: 'Succeeded',
      message: 'gate fitness of wave canary was overridden by ada; all of 3 clusters verified',
      gateOverrides: [{ ...place, by: 'ada', reason: 'a known false alarm' }],
    });
    expect(await events('gate.overridden')).toMatchObject([
      { actor: 'ada', reason: 'a known false alarm', message: expect.stringContaining('a known false alarm') },
    ]);
    const [resumed] = await events('rollout.resume');
    expect(Math.min(...(await writesOn('c1')))).toBeGreaterThanOrEqual(resumed!.at);
  }, 120_000);

  it('override-window: only who may, only that window, and nothing is written before', async () => {
    const now = Date.now();
    const inAnHour = now + 3_600_000;
    const window = (name: string, to: number, more: string): string => `
---
apiVersion: breakwater.dev/v1alpha1
kind: FreezeWindow
metadata: { name: ${name} }
spec:
  timeZone: UTC
  once: { from: "${wholeSeconds(now - 60_000)}", to: "${wholeSeconds(to)}" }
  reason: the ${name}
  ${more}
`;
    const documents = (inventoryEnds: number): string =>
      strategy({ waves: '\n    - { name: all, maxConcurrent: 100% }' }) +
      window('sale', inAnHour, 'fleets: [shop]\n  override: { users: [ada], roles: [admin] }') +
      window('inventory', inventoryEnds, 'clusters: { names: [c1] }');
    await begin(documents(inAnHour), ['c0', 'c1']);
    const id = await start();
    for (const name of ['c0', 'c1']) await stage.untilTarget(id, name, ({ reason }) => reason === 'FreezeWindow');
    const { overrideWindow } = stage.commands;
    const sale = { window: 'sale', reason: 'a mend of the sale itself' };
    await expect(overrideWindow(id, sale, ben)).rejects.toMatchObject({ code: 'WindowForbids' });
    await expect(overrideWindow(id, { ...sale, reason: '' }, ada)).rejects.toMatchObject({ code: 'ReasonNeeded' });
    await expect(overrideWindow(id, { ...sale, window: 'inventory' }, admin)).rejects.toMatchObject({
      code: 'WindowForbids',
    });
    expect([...(await writesOn('c0')), ...(await writesOn('c1'))]).toEqual([]);
    await overrideWindow(id, sale, ada);
    await stage.untilTarget(id, 'c0', ({ state }) => state === 'Succeeded');
    // One freeze is set aside, and not every freeze.
    expect(await stage.target(id, 'c1')).toMatchObject({ state: 'Pending', reason: 'FreezeWindow' });
    expect(await writesOn('c1')).toEqual([]);
    const inventoryEnds = Math.ceil(Date.now() / 1000 + 3) * 1000;
    stage.documents = fleetAndApplication() + documents(inventoryEnds);
    await stage.commit('web', () => bundle());
    await stage.askWindowsAgain(id);

    expect(await stage.end(id)).toMatchObject({
      state: 'Succeeded',
      message: 'FreezeWindow/sale was overridden by ada; all of 2 clusters verified',
      windowOverrides: [{ window: 'FreezeWindow/sale', by: 'ada', reason: sale.reason }],
    });
    const overridden = await events('window.overridden');
    expect(overridden).toMatchObject([{ actor: 'ada', reason: sale.reason }]);
    expect(Math.min(...(await writesOn('c0')))).toBeGreaterThanOrEqual(overridden[0]!.at);
    expect(Math.min(...(await writesOn('c1')))).toBeGreaterThanOrEqual(inventoryEnds);
  }, 120_000);

  it('retry and skip: a mended cluster is tried anew, and one that is left out is named and untouched', async () => {
    const halting = strategy({ more: '  onFailure: { action: halt }' });
    await begin(halting.replace('  gates:\n', `  gates:\n${fitnessGate('during')}`));
    for (const name of ['c0', 'c2']) await setFitness(name, 'fit');
    await setFitness('c1', 'unfit');
    const id = await start();
    const halted = await stage.until(id, ({ state }) => state === 'Halted');
    expect(halted).toMatchObject({ reason: 'FailureBudgetExceeded' });
    expect(await stage.states(id)).toEqual(['c0 Succeeded', 'c1 Failed', 'c2 Pending']);

    const { retry, skip, resume } = stage.commands;
    // What the release is on is rolled back, not skipped; what has nothing to try anew is not tried.
    await expect(skip(id, { cluster: 'c1' }, ada)).rejects.toMatchObject({ code: 'StateForbids' });
    await expect(retry(id, { cluster: 'c0' }, ada)).rejects.toMatchObject({ code: 'StateForbids' });
    await skip(id, { cluster: 'c2', reason: 'is moving house' }, ada);
    await setFitness('c1', 'fit');
    await retry(id, { cluster: 'c1', reason: 'mended' }, ben);
    const written = (await writesOn('c1')).length;
    expect(await stage.target(id, 'c1')).toMatchObject({ state: 'Pending', message: 'tried anew by ben: mended' });
    await resume(id, { reason: 'goes on' }, ben);

    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'Incomplete', reason: 'TargetsMissing' });
    expect(ended.message).toMatch(/2 of 3 clusters verified, 1 failed, 1 skipped: c2$/);
    expect(await stage.target(id, 'c1')).toMatchObject({ state: 'Succeeded', everFailed: true, attempt: 2 });
    expect(await stage.target(id, 'c2')).toMatchObject({
      state: 'Skipped',
      message: 'skipped by ada: is moving house',
      owes: null,
    });
    expect((await writesOn('c1')).length).toBeGreaterThan(written);
    expect(await writesOn('c2')).toEqual([]);
    expect(await events('rollout.skip')).toMatchObject([{ actor: 'ada', reason: 'is moving house' }]);
    expect(await events('rollout.retry')).toMatchObject([{ actor: 'ben', reason: 'mended' }]);
  }, 120_000);

  it('quarantine: no rollout touches the cluster; once it is released a retry brings it along', async () => {
    const waves = `
    - { name: first, clusters: { matchLabels: { role: canary } } }
    - { name: second, clusters: { matchLabels: { role: second } } }
    - { name: rest, maxConcurrent: 100%, approval: { required: 1 } }`;
    await begin(strategy({ waves }), ['c0', 'c1', 'c2', 'c3']);
    const commit = await stage.commit('web', () => bundle());
    const fleet = createFleetCommands({ record });
    for (const name of ['c1', 'c3']) await fleet.quarantineCluster(name, { reason: 'its disk is ill' }, ada);
    const { id } = await stage.rollOut('web', commit);
    await untilAwaitingApproval(id, 'rest');
    const left = { state: 'Skipped', reason: 'Quarantined', message: 'quarantined by ada: its disk is ill' };
    for (const name of ['c1', 'c3']) {
      expect(await stage.target(id, name)).toMatchObject(left);
      expect(await writesOn(name)).toEqual([]);
    }

    const { retry } = stage.commands;
    await expect(retry(id, { cluster: 'c1' }, ben)).rejects.toMatchObject({ code: 'ClusterQuarantined' });
    await fleet.releaseCluster('c1', { reason: 'a new disk' }, ada);
    expect(await stage.target(id, 'c1')).toMatchObject(left);
    await retry(id, { cluster: 'c1' }, ben);
    // The wave after it still waits for its approval.
    await stage.untilTarget(id, 'c1', ({ state }) => state === 'Succeeded');
    await stage.commands.approve(id, { wave: 'rest' }, ben);

    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'Incomplete', message: '3 of 4 clusters verified, 1 skipped: c3' });
    expect(await stage.target(id, 'c3')).toMatchObject(left);
    const report = await readReport(record, ended);
    expect(report.headline).toBe('Incomplete: 3 of 4 clusters verified, 1 skipped: c3; not at the revision: c3');
    expect(report.notAtRevision.map(({ cluster, reason }) => `${cluster} ${reason}`)).toEqual(['c3 Quarantined']);
    const [retried] = await events('rollout.retry');
    expect(Math.min(...(await writesOn('c1')))).toBeGreaterThanOrEqual(retried!.at);
    expect(await writesOn('c3')).toEqual([]);
  }, 120_000);
});
