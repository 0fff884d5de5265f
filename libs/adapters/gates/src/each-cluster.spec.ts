import type { Measurement, MeasurementVerdict } from '@breakwater/domain';
import { measureEach, worstOf } from './each-cluster.ts';
import { gateRequest } from './testing/gate-request.ts';

const result = (cluster: string, verdict: MeasurementVerdict): { cluster: string; measurement: Measurement } => ({
  cluster,
  measurement: { verdict, evidence: verdict.toLowerCase() },
});
const clusters = Array.from({ length: 20 }, (_, index) => ({ name: `c${index}`, region: 'eu' }));

describe('one measurement out of one for each cluster', () => {
  it('is the worst of them, and names who says so', () => {
    const all = ['Success', 'Inconclusive', 'Error', 'Failure'].map((verdict, index) =>
      result(`c${index}`, verdict as MeasurementVerdict),
    );
    expect(worstOf(all)).toEqual({ verdict: 'Failure', evidence: '1 of 4 clusters: c3: failure' });
    expect(worstOf(all.slice(0, 3)).verdict).toBe('Error');
    expect(worstOf(all.slice(0, 2)).verdict).toBe('Inconclusive');
    expect(worstOf(all.slice(0, 1)).verdict).toBe('Success');
  });

  it('asks each cluster once, a few at a time', async () => {
    const asked: string[] = [];
    let running = 0;
    let most = 0;
    const request = gateRequest('alerts', { address: 'http://a', matchers: ['a=b'] }, { clusters });
    const measurement = await measureEach(request, true, async ({ cluster }) => {
      asked.push(cluster);
      most = Math.max(most, ++running);
      await Promise.resolve();
      running -= 1;
      return { verdict: 'Failure', evidence: 'bad' };
    });
    expect(asked.sort()).toEqual(clusters.map(({ name }) => name).sort());
    expect(most).toBeLessThanOrEqual(8);
    expect(measurement.evidence).toMatch(/^20 of 20 clusters: .*and 15 more$/);
  });

  it('is made once where nothing differs', async () => {
    let times = 0;
    const request = gateRequest('alerts', { address: 'http://a', matchers: ['a=b'] }, { clusters });
    await measureEach(request, false, () => {
      times += 1;
      return Promise.resolve({ verdict: 'Success', evidence: '' });
    });
    expect(times).toBe(1);
  });
});
