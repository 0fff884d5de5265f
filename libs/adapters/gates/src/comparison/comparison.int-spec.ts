import type { GateMember } from '@breakwater/application';
import type { MonitoringServer } from '@breakwater/testing';
import { findMonitoring, startPrometheus } from '@breakwater/testing';
import { createGateProbes } from '../index.ts';
import { gateRequest } from '../testing/gate-request.ts';

const MINUTE = 60_000;
const STEP = 15_000;

interface History {
  /** What the update did to `eu-1`'s error ratio. */
  readonly factor: number;
  /** In ms before now. */
  readonly updated: number;
}

const CLUSTERS = ['eu-1', 'eu-2', 'us-1', 'us-2', 'ap-1', 'ap-2'];

/** Two hours of counters, each cluster with a level of its own and a wave that all share. */
const historyOf = (now: number, { factor, updated }: History): string => {
  const families = ['requests', 'errors'].map((name) => {
    const lines = [`# TYPE app_${name} counter`];
    CLUSTERS.forEach((cluster, index) => {
      let total = 0;
      for (let at = now - 120 * MINUTE; at <= now; at += STEP) {
        const minutes = (at - now) / MINUTE;
        const level =
          0.01 * (1 + index / 3) * (1 + 0.2 * Math.sin(minutes / 20) + 0.1 * Math.sin(minutes * (index + 2)));
        const worse = cluster === 'eu-1' && at > now - updated ? factor : 1;
        total += name === 'requests' ? 1_500 : Math.round(1_500 * level * worse);
        lines.push(`app_${name}_total{cluster="${cluster}"} ${total} ${at / 1000}`);
      }
    });
    return lines.join('\n');
  });
  return `${families.join('\n')}\n# EOF\n`;
};

const QUERY =
  'sum by (cluster) (rate(app_errors_total[1m])) / sum by (cluster) (rate(app_requests_total[1m])) # errors by request';

const monitoring = findMonitoring();
if (monitoring === null) {
  const reason =
    'the comparison gate needs prometheus on the PATH (apt-get install prometheus prometheus-alertmanager)';
  if (process.env['REQUIRE_KUBE'] === '1') it('the comparison gate', () => expect(reason).toBe('present'));
  else console.warn(`skipped: ${reason}`);
} else {
  describe('the comparison gate with a real Prometheus', () => {
    const now = Math.floor(Date.now() / STEP) * STEP;
    const servers: MonitoringServer[] = [];
    const probe = createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }).get('comparison')!;
    const start = async (history: History): Promise<MonitoringServer> => {
      const server = await startPrometheus({ program: monitoring.prometheus, history: historyOf(now, history) });
      servers.push(server);
      return server;
    };
    const membersAt = (updatedAt: number): readonly GateMember[] =>
      CLUSTERS.map((cluster) =>
        cluster === 'eu-1'
          ? { cluster, region: 'eu', state: 'updated', updatedAt }
          : { cluster, region: 'any', state: 'untouched', updatedAt: null },
      );
    const measure = (server: MonitoringServer, spec: object, ago: number): ReturnType<typeof probe.measure> =>
      probe.measure(
        gateRequest(
          'comparison',
          { address: server.url, query: QUERY, ...spec },
          { members: membersAt(now - ago), now, startedAt: now },
        ),
      );

    let same: MonitoringServer;
    let doubled: MonitoringServer;
    beforeAll(async () => {
      same = await start({ factor: 1, updated: 12 * MINUTE });
      doubled = await start({ factor: 2, updated: 12 * MINUTE });
    }, 120_000);
    afterAll(() => Promise.all(servers.map((server) => server.stop())), 60_000);

    it('passes a canary whose error rate is as ever', async () => {
      const measurement = await measure(same, {}, 12 * MINUTE);
      expect(measurement).toMatchObject({ verdict: 'Success' });
      expect(measurement.evidence).toMatch(
        /on 1 updated cluster, [\d.]+x their own past; [\d.]+ on 5 untouched clusters/,
      );
    });

    it('fails one whose error rate doubled, with the figures', async () => {
      const measurement = await measure(doubled, {}, 12 * MINUTE);
      expect(measurement.verdict).toBe('Failure');
      expect(measurement.evidence).toMatch(/on 1 updated cluster, (1\.9|2)[\d.]*x their own past; .* p < 0\.0001\)$/);
    });

    it('waits until a whole window lies after the update', async () => {
      expect(await measure(doubled, {}, 4 * MINUTE)).toMatchObject({
        verdict: 'Pending',
        evidence: '240 s of the first 600 s after the update have passed',
        retryAfter: 6 * MINUTE,
      });
    });

    it('is inconclusive without data, of all or of an updated cluster, and without past', async () => {
      expect(await measure(same, { query: 'app_never' }, 12 * MINUTE)).toMatchObject({
        verdict: 'Inconclusive',
        evidence: 'no data: too few samples of eu-1',
      });
      const others = 'sum by (cluster) (rate(app_errors_total{cluster!="eu-1"}[1m]))';
      expect((await measure(same, { query: others }, 12 * MINUTE)).verdict).toBe('Inconclusive');
      expect((await measure(same, {}, 119 * MINUTE)).verdict).toBe('Inconclusive');
      // NaN: no request at all.
      expect(await measure(same, { query: '0 * sum by (cluster) (app_errors_total) / 0' }, 12 * MINUTE)).toMatchObject({
        verdict: 'Inconclusive',
      });
    });

    it('is an error when the query gives no series for each cluster', async () => {
      expect(await measure(same, { query: 'sum(app_errors_total)' }, 12 * MINUTE)).toMatchObject({
        verdict: 'Error',
        evidence: 'the query gives series without the label cluster',
      });
      expect(await measure(same, { query: '{__name__=~"app_.*"}' }, 12 * MINUTE)).toMatchObject({ verdict: 'Error' });
      expect(await measure(same, { query: 'sum(' }, 12 * MINUTE)).toMatchObject({ verdict: 'Error' });
    });

    it('compares with its own past when all clusters are updated', async () => {
      const request = gateRequest(
        'comparison',
        { address: doubled.url, query: QUERY },
        {
          now,
          startedAt: now,
          clusters: [{ name: 'eu-1', region: 'eu' }],
          members: membersAt(now - 12 * MINUTE).filter(({ state }) => state === 'updated'),
        },
      );
      const measurement = await probe.measure(request);
      expect(measurement).toMatchObject({ verdict: 'Failure' });
      expect(measurement.evidence).toContain('no untouched cluster to compare with');
    });
  });
}
