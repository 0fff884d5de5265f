import { parseAuditLog } from './audit-log.ts';

const event = (overrides: Record<string, unknown>): string =>
  JSON.stringify({
    auditID: 'a',
    stage: 'ResponseComplete',
    verb: 'patch',
    user: { username: 'breakwater' },
    requestURI: '/api/v1/namespaces/n/configmaps/c?fieldManager=breakwater',
    requestReceivedTimestamp: '2026-01-02T03:04:05.000600Z',
    stageTimestamp: '2026-01-02T03:04:05.010000Z',
    responseStatus: { code: 200 },
    objectRef: { resource: 'configmaps', namespace: 'n', name: 'c' },
    ...overrides,
  });

describe('audit log', () => {
  it('orders entries by receipt, to less than a millisecond', () => {
    const later = event({ auditID: 'later' });
    const earlier = event({ auditID: 'earlier', requestReceivedTimestamp: '2026-01-02T03:04:05.000500Z' });
    const entries = parseAuditLog(`${later}\n${earlier}\n`);
    expect(entries.map((entry) => entry.auditID)).toEqual(['earlier', 'later']);
    expect(entries[0]!.receivedAt).toBeCloseTo(Date.parse('2026-01-02T03:04:05Z') + 0.5, 3);
  });

  it('leaves out a line that is still being written', () => {
    expect(parseAuditLog(`${event({})}\n${event({}).slice(0, 40)}`)).toHaveLength(1);
  });

  it('counts neither reads nor dry runs nor other users among the writes', () => {
    const lines = [
      event({ auditID: 'write' }),
      event({ auditID: 'read', verb: 'get' }),
      event({ auditID: 'try', requestURI: '/api/v1/namespaces/n/configmaps/c?dryRun=All' }),
      event({ auditID: 'ask', verb: 'create', objectRef: { resource: 'selfsubjectaccessreviews' } }),
      event({ auditID: 'other', user: { username: 'foreign' } }),
    ];
    const writes = parseAuditLog(`${lines.join('\n')}\n`, { user: 'breakwater', writesOnly: true });
    expect(writes.map((entry) => entry.auditID)).toEqual(['write']);
  });

  it('takes the name of a created object from its body', () => {
    const created = event({
      verb: 'create',
      objectRef: { resource: 'configmaps' },
      requestObject: { metadata: { name: 'new' } },
    });
    expect(parseAuditLog(`${created}\n`)[0]!.name).toBe('new');
  });
});
