import type { LookAnswer } from '@breakwater/application';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';

const START = Date.parse('2026-01-02T03:04:05.000Z');
const found: LookAnswer = {
  edits: [
    {
      application: 'podinfo',
      object: 'apps/Deployment/podinfo/web' as never,
      at: START - 1_000,
      what: 'set spec.template.spec.containers[name=main].image',
      manager: 'kubectl-edit',
    },
  ],
  nodes: [{ node: 'n1', at: null, what: 'the node is cordoned', by: 'kubectl-cordon' }],
  notLookedAt: [],
  notes: [],
};

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
  await api.record.cluster.observe('eu-west-1a', { kind: 'Seen', uid: 'u-1', version: 'v1.36.3' });
});
afterEach(() => api.close());

const changes = (query = '') =>
  api.call('GET', `/api/v1/clusters/eu-west-1a/changes${query}`, { as: 'viewer' }) as Promise<{
    status: number;
    body: { changes: { what: string; relation: string }[] };
  }>;

it('ranks what the cluster and the record tell against what broke', async () => {
  api.finds(found);
  await api.record.cluster.setQuarantine('eu-west-1a', true, { by: 'noor', reason: 'disks' });
  await api.record.cluster.observe('eu-west-1a', { kind: 'Unreachable', reason: 'Timeout', message: 'silent' });
  await api.record.cluster.setQuarantine('eu-west-1a', false, { by: 'noor', reason: 'new disks' });
  await api.record.audit.seal(100);
  const { status, body } = await changes();
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      cluster: 'eu-west-1a',
      since: '2026-01-02T01:04:05.009Z',
      signal: { kind: 'ClusterUnreachable', message: 'Timeout: silent', rollout: null },
      changes: [
        {
          rank: 1,
          relation: 'before',
          kind: 'edit',
          at: '2026-01-02T03:04:04.000Z',
          by: 'kubectl-edit',
          object: 'apps/Deployment/podinfo/web',
          application: 'podinfo',
        },
        { rank: 2, relation: 'undated', kind: 'node', at: null, by: 'kubectl-cordon' },
        { rank: 3, relation: 'before', kind: 'command', by: 'noor', reason: 'disks' },
        { rank: 4, relation: 'after', kind: 'command', by: 'noor', reason: 'new disks' },
      ],
      notLookedAt: [],
    },
  });
});

it('names what could not be looked at, and shows no secret of an address', async () => {
  api.finds({ refused: 'ConnectionRefused: https://robot:hunter2@eu.example does not answer' });
  const { body } = await changes();
  expect(body).toMatchObject({
    signal: null,
    changes: [],
    notLookedAt: [{ what: 'foreign edits' }, { what: 'nodes', reason: expect.stringMatching(/^ConnectionRefused/) }],
  });
  expect(JSON.stringify(body)).not.toContain('hunter2');
});

it('takes a time, and refuses what is none, what lies ahead, and a cluster that nobody knows', async () => {
  expect((await changes('?since=2026-01-02T00:00:00Z')).body).toMatchObject({ since: '2026-01-02T00:00:00.000Z' });
  expect(await changes('?since=2h')).toMatchObject({ status: 400, body: { code: 'InvalidRequest' } });
  expect(await changes('?until=2026-01-02T00:00:00Z')).toMatchObject({ status: 400, body: { code: 'InvalidRequest' } });
  expect(await changes('?since=2030-01-02T00:00:00Z')).toMatchObject({ status: 422, body: { code: 'SinceInFuture' } });
  expect(await api.call('GET', '/api/v1/clusters/nothing/changes')).toMatchObject({
    status: 404,
    body: { code: 'ClusterNotFound' },
  });
});
