import type { MonitoringServer } from '@breakwater/testing';
import { findMonitoring, startAlertmanager } from '@breakwater/testing';
import { request } from 'undici';
import { createGateProbes } from '../index.ts';
import { gateRequest } from '../testing/gate-request.ts';

const monitoring = findMonitoring();
if (monitoring === null) {
  const reason = 'the alerts gate needs Alertmanager on the PATH (apt-get install prometheus prometheus-alertmanager)';
  if (process.env['REQUIRE_KUBE'] === '1') it('the alerts gate', () => expect(reason).toBe('present'));
  else console.warn(`skipped: ${reason}`);
} else {
  describe('the alerts gate with a real Alertmanager', () => {
    let server: MonitoringServer;
    const probe = createGateProbes({ allowedHosts: ['127.0.0.1'], secretsDirectory: null }).get('alerts')!;
    const measure = (matchers: readonly string[], spec: object = {}): ReturnType<typeof probe.measure> =>
      probe.measure(gateRequest('alerts', { address: server.url, matchers, ...spec }));
    const post = async (path: string, body: unknown): Promise<void> => {
      const reply = await request(`${server.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(reply.statusCode).toBe(200);
      await reply.body.dump();
    };
    const fire = (labels: Record<string, string>): Promise<void> =>
      post('/api/v2/alerts', [
        { labels, startsAt: '2026-01-31T10:00:00.000Z', endsAt: new Date(Date.now() + 3_600_000).toISOString() },
      ]);

    beforeAll(async () => {
      server = await startAlertmanager(monitoring.alertmanager);
    }, 60_000);
    afterAll(() => server?.stop(), 30_000);

    /** An alert that was posted is listed a moment later. */
    const until = async (
      verdict: string,
      ...asked: Parameters<typeof measure>
    ): Promise<Awaited<ReturnType<typeof measure>>> => {
      for (;;) {
        const measurement = await measure(...asked);
        if (measurement.verdict === verdict) return measurement;
      }
    };

    it('passes while nothing fires, fails on an alert that does, by name and since when, and not on that of another', async () => {
      const matchers = ['severity=critical', 'cluster={cluster}'];
      expect(await measure(matchers)).toMatchObject({ verdict: 'Success', evidence: 'no matching alert fires' });
      await fire({ alertname: 'Elsewhere', severity: 'critical', cluster: 'us-1' });
      await until('Failure', ['cluster=us-1']);
      expect((await measure(matchers)).verdict).toBe('Success');
      await fire({ alertname: 'TooManyErrors', severity: 'critical', cluster: 'eu-1' });
      expect((await until('Failure', matchers)).evidence).toBe(
        '1 alert fires: TooManyErrors (cluster=eu-1, severity=critical) since 2026-01-31T10:00:00.000Z',
      );
      expect((await measure(['severity=~"warn.*|crit.*"', 'cluster!=us-1'])).verdict).toBe('Failure');
    }, 30_000);

    it('leaves out what is silenced, unless told otherwise', async () => {
      await fire({ alertname: 'Known', severity: 'warning', cluster: 'eu-1' });
      await until('Failure', ['alertname=Known']);
      await post('/api/v2/silences', {
        matchers: [{ name: 'alertname', value: 'Known', isRegex: false }],
        startsAt: new Date().toISOString(),
        endsAt: new Date(Date.now() + 3_600_000).toISOString(),
        createdBy: 'somebody',
        comment: 'known',
      });
      await until('Success', ['alertname=Known']);
      expect((await measure(['alertname=Known'], { includeSilenced: true })).verdict).toBe('Failure');
    }, 30_000);

    it('is an error when the matchers are wrong', async () => {
      expect(await measure(['severity=~"("'])).toMatchObject({
        verdict: 'Error',
        evidence: expect.stringContaining('answered 400'),
      });
    });
  });
}
