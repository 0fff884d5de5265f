import type { MonitoringServer } from '@breakwater/testing';
import { findMonitoring, startMetrics, startPrometheus } from '@breakwater/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { createGateProbes } from '../index.ts';
import { gateRequest } from '../testing/gate-request.ts';

const monitoring = findMonitoring();
if (monitoring === null) {
  const reason =
    'the prometheus gate needs prometheus on the PATH (apt-get install prometheus prometheus-alertmanager)';
  if (process.env['REQUIRE_KUBE'] === '1') it('the prometheus gate', () => expect(reason).toBe('present'));
  else console.warn(`skipped: ${reason}`);
} else {
  describe('the prometheus gate with a real Prometheus', () => {
    let failing = 0;
    let requests = 0;
    let metrics: Awaited<ReturnType<typeof startMetrics>>;
    let server: MonitoringServer;
    const probe = createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }).get('prometheus')!;
    const measure = (spec: object, rest: Parameters<typeof gateRequest>[2] = {}): ReturnType<typeof probe.measure> =>
      probe.measure(gateRequest('prometheus', { address: server.url, ...spec }, rest));

    beforeAll(async () => {
      metrics = await startMetrics(() => {
        requests += 100;
        return [
          `app_requests_total{cluster="eu-1"} ${requests}`,
          `app_failing{cluster="eu-1"} ${failing}`,
          `app_failing{cluster="us-1"} 0`,
          `app_odd NaN`,
          ...Array.from({ length: 1_100 }, (_, index) => `app_many{number="${index}"} 1`),
          '',
        ].join('\n');
      });
      server = await startPrometheus({ program: monitoring.prometheus, targets: [metrics.target] });
    }, 60_000);
    afterAll(async () => {
      await server?.stop();
      await metrics?.stop();
    }, 30_000);

    /** Until what was set has been scraped. */
    const until = async (verdict: string, spec: object): Promise<Awaited<ReturnType<typeof measure>>> => {
      for (;;) {
        const measurement = await measure(spec);
        if (measurement.verdict === verdict) return measurement;
        await delay(50);
      }
    };

    it('passes below its threshold, and fails above it with the value', async () => {
      const spec = { query: 'app_failing{cluster="{cluster}"}', success: 'result < 0.05' };
      failing = 0.01;
      await until('Success', spec);
      failing = 0.2;
      const failed = await until('Failure', spec);
      expect(failed.evidence).toMatch(/^0\.2 \(.*cluster=eu-1.*\): does not meet success result < 0\.05$/);
    }, 60_000);

    it('judges all series at once, and each cluster by itself', async () => {
      failing = 0.2;
      await until('Failure', { query: 'app_failing', failure: 'results.exists(r, r.value > 0.1)' });
      const clusters = [
        { name: 'eu-1', region: 'eu' },
        { name: 'us-1', region: 'us' },
      ];
      const spec = { query: 'app_failing{cluster="{cluster}"}', success: 'result < 0.05' };
      const both = await measure(spec, { clusters });
      expect(both.verdict).toBe('Failure');
      expect(both.evidence).toMatch(/^1 of 2 clusters: eu-1: 0\.2/);
    }, 60_000);

    it('is inconclusive without data, about what is no number, and about several series where one is meant', async () => {
      await until('Success', { query: 'app_failing', success: 'size(results) == 2' });
      expect(await measure({ query: 'app_never', success: 'result < 1.0' })).toMatchObject({
        verdict: 'Inconclusive',
        evidence: expect.stringContaining('no data'),
      });
      expect(await measure({ query: 'app_odd', success: 'result < 1.0' })).toMatchObject({
        verdict: 'Inconclusive',
        evidence: expect.stringContaining('no number: NaN'),
      });
      expect(await measure({ query: 'app_failing / 0', failure: 'results.exists(r, r.value > 1.0)' })).toMatchObject({
        verdict: 'Inconclusive',
      });
      expect(await measure({ query: 'app_failing', success: 'result < 1.0' })).toMatchObject({
        verdict: 'Inconclusive',
        evidence: expect.stringContaining('use results'),
      });
    }, 60_000);

    it('is an error when the query is none, in the words of the server', async () => {
      expect(await measure({ query: 'sum(', success: 'result < 1.0' })).toMatchObject({
        verdict: 'Error',
        evidence: expect.stringMatching(/answered 400: .*parse error/),
      });
    });

    it('is an error when there are too many series', async () => {
      await until('Success', { query: 'count(app_many)', success: 'result == 1100.0' });
      expect(await measure({ query: 'app_many', failure: 'size(results) == 0' })).toMatchObject({
        verdict: 'Error',
        evidence: 'the query gives 1100 series, more than 1000: aggregate it',
      });
    });

    it('is an error once the server is gone', async () => {
      const other = await startPrometheus({ program: monitoring.prometheus });
      await other.stop();
      const request = gateRequest('prometheus', { address: other.url, query: 'up', success: 'result < 1.0' });
      expect(await probe.measure(request)).toMatchObject({
        verdict: 'Error',
        evidence: expect.stringContaining('the connection was refused'),
      });
    }, 30_000);
  });
}
