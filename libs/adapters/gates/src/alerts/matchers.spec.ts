import { templateValues } from '../template.ts';
import { gateRequest } from '../testing/gate-request.ts';
import { matcherOf } from './alerts.probe.ts';

const request = gateRequest('alerts', { address: 'http://alertmanager', matchers: ['a=b'] });
const values = templateValues(request, { name: 'eu.1', region: 'a"b' });

describe('matchers of the alerts gate', () => {
  it.each([
    ['severity=critical', 'severity="critical"'],
    ['severity = "critical"', 'severity="critical"'],
    ['cluster={cluster}', 'cluster="eu.1"'],
    ['cluster=~{cluster}', String.raw`cluster=~"eu\\.1"`],
    ['region!={region}', String.raw`region!="a\"b"`],
    ['severity!~info|warning', 'severity!~"info|warning"'],
  ])('%s is asked as %s', (matcher, asked) => {
    expect(matcherOf(matcher, values)).toBe(asked);
  });
});
