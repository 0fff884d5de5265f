import { createGateProbes } from '@breakwater/gates';
import {
  acquireTestbed,
  findMonitoring,
  type MonitoringServer,
  requireTestbed,
  startAlertmanager,
  startMetrics,
  startPrometheus,
  type Testbed,
  TESTBED_TIMEOUT_MS,
} from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { liveObjects, withoutIdentity } from '../support/live-objects.ts';
import { configMap, deployment, fleetAndApplication, RolloutStage, strategy } from '../support/rollout-stage.ts';

const { describe: describeWithTestbed } = requireTestbed();
const monitoring = findMonitoring();

const labels = { c0: { role: 'canary' } };
const waves = `
    - { name: canary, clusters: { matchLabels: { role: canary } }, soak: 3s }
    - { name: rest, maxConcurrent: 100% }`;

/** The strategy of the other tests, with more gates beside the workloads. */
const gated = (gates: string): string => strategy({ waves }).replace('  gates:\n', `  gates:\n${gates}`);

/** One of Prometheus' answer. */
interface Series {
  readonly metric: { readonly cluster: string };
  readonly value: readonly [number, string];
}

const bundle = (version: string, image = `shop/web:${version}`) => [
  configMap('settings', 'web', { version }),
  deployment('web', 'web', image),
];

describeWithTestbed('gates by evidence, on real servers', () => {
  let bed: Testbed;
  let stage: RolloutStage;
  /** Share of failed requests that the workloads of the test show, by the version that runs on their cluster. */
  let failing: (cluster: string) => number = () => 0;
  let metrics: Awaited<ReturnType<typeof startMetrics>>;
  let prometheus: MonitoringServer;
  let alertmanager: MonitoringServer;

  const begin = async (documents: string): Promise<void> => {
    stage = new RolloutStage({
      clusters: bed.clusters,
      labels,
      documents: fleetAndApplication() + documents,
      probes: createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }),
    });
    await stage.start();
  };

  beforeAll(async () => {
    if (monitoring === null) throw new Error('install Debian’s prometheus and prometheus-alertmanager');
    bed = await acquireTestbed({ clusters: 3, label: 'e2e gates' });
    metrics = await startMetrics(() =>
      ['c0', 'c1', 'c2']
        .map((name) => `app_failing{cluster="${name}"} ${failing(name)}`)
        .join('\n')
        .concat('\n'),
    );
    prometheus = await startPrometheus({ program: monitoring.prometheus, targets: [metrics.target] });
    alertmanager = await startAlertmanager(monitoring.alertmanager);
  }, TESTBED_TIMEOUT_MS);
  beforeEach(async () => {
    await Promise.all([show(() => 0), bed.reset()]);
  }, 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(async () => {
    await alertmanager?.stop();
    await prometheus?.stop();
    await metrics?.stop();
    await bed?.release();
  }, 60_000);

  /** Returns when Prometheus knows it: figures from before would be taken for the release's own. */
  const show = async (share: (cluster: string) => number): Promise<void> => {
    failing = share;
    for (;;) {
      const answer = await request(`${prometheus.url}/api/v1/query?query=app_failing`);
      const { data } = (await answer.body.json()) as { data: { result: Series[] } };
      if (
        data.result.length === 3 &&
        data.result.every(({ metric, value }) => Number(value[1]) === share(metric.cluster))
      )
        return;
      await delay(50);
    }
  };

  const onEachCluster = (): string => `
    - name: errors
      phase: during
      interval: 1s
      count: 2
      prometheus: { address: "${prometheus.url}", query: 'app_failing{cluster="{cluster}"}', success: "result < 0.05" }
`;

  it('stop a release that is ready and wrong on the canary, and take it back', async () => {
    await begin(gated(onEachCluster()));
    expect((await stage.release(() => bundle('1'))).state).toBe('Succeeded');
    const before = await Promise.all(bed.clusters.map((cluster) => liveObjects(cluster)));
    await show((name) => (name === 'c0' ? 0.2 : 0));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('2')));
    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'RolledBack', reason: 'FailureBudgetExceeded' });
    const canary = await stage.target(id, 'c0');
    expect(canary.gates).toMatchObject([{ gate: 'errors', state: 'Failed' }]);
    expect(canary.gates[0]!.evidence).toContain('0.2');
    expect((await stage.targets(id)).filter(({ touched }) => touched).map(({ cluster }) => cluster)).toEqual(['c0']);
    for (const [index, cluster] of bed.clusters.entries()) {
      expect(withoutIdentity(await liveObjects(cluster))).toEqual(withoutIdentity(before[index]!));
    }
  }, 120_000);

  it('say why they wait, with figures, and let the release go on when the evidence is good', async () => {
    await begin(
      gated(
        onEachCluster()
          .replace('success: "result < 0.05"', 'success: "result < 0.05", failure: "result > 0.5"')
          .replace('count: 2', 'count: 2\n      inconclusiveLimit: 1000'),
      ),
    );
    await show(() => 0.3);
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
    await stage.untilTarget(id, 'c0', ({ gates }) => gates.some(({ lastVerdict }) => lastVerdict === 'Inconclusive'));
    const { blockers, summary } = await stage.commands.explain(id);
    expect(blockers).toMatchObject([{ reason: 'GatePending', wave: 'canary', cluster: 'c0', gate: 'errors' }]);
    expect(summary).toContain('0.3');
    await show(() => 0);
    expect((await stage.end(id)).state).toBe('Succeeded');
  }, 120_000);

  it('halt while a wave soaks, when an alert fires', async () => {
    const alerts = `
    - name: quiet
      interval: 1s
      waves: [canary]
      alerts: { address: "${alertmanager.url}", matchers: ["service=web"] }
`;
    await begin(gated(alerts));
    expect((await stage.release(() => bundle('1'))).state).toBe('Succeeded');
    // Long enough for the alert to be seen on a machine that has other things to do.
    stage.documents = stage.documents.replace('soak: 3s', 'soak: 20s');
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('2')));
    await stage.until(id, ({ waves }) => waves[0]!.state === 'Soaking');
    const now = Date.now();
    await request(`${alertmanager.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        {
          labels: { alertname: 'ManyErrors', service: 'web' },
          startsAt: new Date(now - 1_000).toISOString(),
          endsAt: new Date(now + 60_000).toISOString(),
        },
      ]),
    });
    const ended = await stage.end(id);
    expect(ended).toMatchObject({ state: 'RolledBack', reason: 'GateFailed' });
    expect(ended.message).toContain('ManyErrors');
    expect((await stage.target(id, 'c1')).touched).toBe(false);
  }, 120_000);

  it('do not take a server that is down for success, and name it', async () => {
    const dead = gated(onEachCluster().replace(prometheus.url, 'http://127.0.0.1:1'));
    await begin(dead.replace('count: 2', 'count: 2\n      consecutiveErrorLimit: 1'));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
    const held = await stage.untilTarget(id, 'c0', ({ gates }) => gates[0]?.state === 'Inconclusive');
    expect(held.state).toBe('Verifying');
    const [blocker] = (await stage.commands.explain(id)).blockers;
    expect(blocker!.evidence).toMatch(/waits for a person.*could not be measured/);
    await stage.commands.abort(id, {}, { name: 'test' });
    await stage.end(id);
  }, 120_000);

  it('reach no host that whoever runs Breakwater has not allowed', async () => {
    await begin(
      gated(
        onEachCluster()
          .replace('127.0.0.1', 'localhost')
          .replace('count: 2', 'count: 2\n      consecutiveErrorLimit: 0'),
      ),
    );
    const { id } = await stage.rollOut('web', await stage.commit('web', () => bundle('1')));
    const held = await stage.untilTarget(id, 'c0', ({ gates }) => gates[0]?.state === 'Inconclusive');
    expect(held.gates[0]!.evidence).toContain('BREAKWATER_GATE_HOSTS');
    await stage.commands.abort(id, {}, { name: 'test' });
    await stage.end(id);
  }, 120_000);
});

describeWithTestbed('windows, on real servers', () => {
  let bed: Testbed;
  let stage: RolloutStage;
  /** How many requests of one apply may be on their way at once. */
  const WRITES_AT_ONCE = 4;
  const objects = (version: string) =>
    Array.from({ length: 70 }, (_, index) => configMap(`settings-${index}`, 'web', { version }));

  beforeAll(async () => {
    bed = await acquireTestbed({ clusters: 1, label: 'e2e windows' });
  }, TESTBED_TIMEOUT_MS);
  beforeEach(() => bed.reset(), 60_000);
  afterEach(() => stage?.stop(), 30_000);
  afterAll(() => bed?.release());

  const wholeSeconds = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;
  /** A time in the document has whole seconds. */
  const inSeconds = (seconds: number): Date => new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000);
  const window = (from: Date, to: Date, inFlight: string): string => `
---
apiVersion: breakwater.dev/v1alpha1
kind: FreezeWindow
metadata: { name: sale }
spec:
  fleets: [shop]
  timeZone: UTC
  once: { from: "${wholeSeconds(from)}", to: "${wholeSeconds(to)}" }
  inFlight: ${inFlight}
  reason: the big sale
`;
  const everything = strategy({ waves: '\n    - { name: all, maxConcurrent: 100% }' });

  const begin = async (documents: string, kubeconfigs: Readonly<Record<string, string>> = {}): Promise<void> => {
    const all = fleetAndApplication() + everything + documents;
    stage = new RolloutStage({ clusters: bed.clusters, labels: {}, documents: all, kubeconfigs });
    await stage.start();
  };
  const writes = async (): Promise<readonly number[]> =>
    (await bed.clusters[0]!.auditLog({ writesOnly: true }))
      .filter(({ userAgent }) => userAgent === 'breakwater/test')
      .map(({ receivedAt }) => receivedAt);

  it('keep a cluster as it is until they are over, and say so', async () => {
    await begin(window(inSeconds(-60), inSeconds(3_600), 'finish'));
    const { id } = await stage.rollOut('web', await stage.commit('web', () => objects('1')));
    await stage.untilTarget(id, 'c0', ({ reason }) => reason === 'FreezeWindow');
    const until = inSeconds(4);
    stage.documents = fleetAndApplication() + everything + window(inSeconds(-60), until, 'finish');
    await stage.commit('web', () => objects('1'));
    await stage.askWindowsAgain(id);
    await stage.untilTarget(id, 'c0', ({ opensAt }) => opensAt === until.getTime());
    const [blocker] = (await stage.commands.explain(id)).blockers;
    expect(blocker).toMatchObject({ reason: 'FreezeWindow', cluster: 'c0', until: until.getTime() });
    expect(blocker!.evidence).toContain('the big sale');
    expect((await stage.end(id)).state).toBe('Succeeded');
    expect(Math.min(...(await writes()))).toBeGreaterThanOrEqual(until.getTime());
  }, 120_000);

  it('that freeze what is in flight stop it in the middle of its writes, and let it go on afterwards', async () => {
    const proxy = await bed.clusters[0]!.proxy();
    await begin('', { c0: proxy.kubeconfig });
    await stage.release(() => objects('1'));
    // Every request takes its time, so that the freeze comes between two of them.
    proxy.delay(200);
    const { id } = await stage.rollOut('web', await stage.commit('web', () => objects('2')));
    await stage.untilTarget(id, 'c0', ({ touched }) => touched);
    const from = inSeconds(3);
    const to = inSeconds(7);
    stage.documents = fleetAndApplication() + everything + window(from, to, 'freeze');
    const started = Date.now();
    await stage.commit('web', () => objects('3'));
    await stage.untilTarget(id, 'c0', ({ reason }) => reason === 'FreezeWindow');
    proxy.restore();
    const ended = await stage.end(id);
    expect(ended.state).toBe('Succeeded');
    const times = (await writes()).filter((at) => at > started);
    expect({
      before: times.some((at) => at < from.getTime()),
      after: times.some((at) => at >= to.getTime()),
    }).toEqual({
      before: true,
      after: true,
    });
    // What had left by then arrives when it arrives.
    const inside = times.filter((at) => at > from.getTime() && at < to.getTime());
    expect(inside.length).toBeLessThanOrEqual(WRITES_AT_ONCE);
  }, 120_000);
});
