import { alertsGate } from './alerts.ts';
import { comparisonGate } from './comparison.ts';
import { prometheusGate } from './prometheus.ts';

const address = 'https://monitoring.example.com';
const problems = (kind: typeof alertsGate, spec: object): string =>
  (kind.schema().safeParse(spec).error?.issues ?? []).map(({ message }) => message).join(' | ');

describe('the prometheus gate in Git', () => {
  const spec = { address, query: 'up' };
  it('fills in its defaults, as plain JSON', () => {
    const read = prometheusGate.schema().parse({ ...spec, success: 'result < 0.05', timeout: '5s' });
    expect(read).toEqual({ ...spec, success: 'result < 0.05', timeout: 5_000 });
    expect(JSON.parse(JSON.stringify(read))).toEqual(read);
  });

  it.each([
    [{}, 'has no condition'],
    [{ success: 'result <' }, 'is not a condition'],
    [{ success: 'result' }, 'is not a condition'],
    [{ success: 'other < 1.0' }, 'Unknown variable: other'],
    [{ success: 'true', address: 'prometheus:9090' }, 'is not an address'],
    [{ success: 'true', address: 'https://me:secret@prometheus/' }, 'is not an address'],
    [{ success: 'true', address: 'https://prometheus/?a=b' }, 'is not an address'],
    [{ success: 'true', auth: { secret: '../../etc/passwd' } }, 'is not a valid name'],
    [{ success: 'true', token: 'abc' }, 'known fields'],
  ])('refuses %j', (part, message) => {
    expect(problems(prometheusGate, { ...spec, ...part })).toContain(message);
  });
});

describe('the alerts gate in Git', () => {
  it('fills in its defaults', () => {
    expect(alertsGate.schema().parse({ address, matchers: ['severity=critical', 'cluster=~"{cluster}"'] })).toEqual({
      address,
      matchers: ['severity=critical', 'cluster=~"{cluster}"'],
      includeSilenced: false,
      timeout: 10_000,
    });
  });

  it.each([['severity'], ['=critical'], ['sev erity=critical'], ['severity='], ['severity==critical\nfilter']])(
    'refuses the matcher %j',
    (matcher) => {
      expect(problems(alertsGate, { address, matchers: [matcher] })).toContain('is not a matcher');
    },
  );

  it('wants a matcher: every alert of everybody is nobody’s gate', () => {
    expect(problems(alertsGate, { address, matchers: [] })).not.toBe('');
  });
});

describe('the comparison gate in Git', () => {
  const spec = { address, query: 'errors' };
  it('fills in its defaults', () => {
    expect(comparisonGate.schema().parse(spec)).toEqual({
      ...spec,
      clusterLabel: 'cluster',
      direction: 'higher-is-worse',
      window: 600_000,
      past: 3_600_000,
      step: 15_000,
      minSamples: 10,
      tolerance: 1.5,
      negligible: 0,
      falseAlarms: 0.005,
      without: 'past',
      timeout: 10_000,
    });
  });

  it.each([
    [{ past: '20m' }, 'does not fit the window'],
    [{ past: '12h' }, 'does not fit the window'],
    [{ step: '2m' }, 'does not fit the window'],
    [{ step: '1s', minSamples: 700 }, 'does not fit the window'],
    [{ clusterLabel: 'cluster)' }, 'is not a label'],
    [{ query: 'errors{cluster="{cluster}"}' }, 'asks for one cluster'],
    [{ tolerance: 1 }, 'Too small'],
    [{ falseAlarms: 0.5 }, 'Too big'],
  ])('refuses %j', (part, message) => {
    expect(problems(comparisonGate, { ...spec, ...part })).toContain(message);
  });
});
