import type { FleetSnapshot } from '@breakwater/domain';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';
import { COMMIT, DIGEST } from '../testing/fake-rollouts.ts';

const cluster = (name: string, region: string) => ({
  kind: 'Cluster' as const,
  name,
  labels: { tier: 'production' },
  region,
  failureDomain: name,
  characteristics: { provider: 'aws', regulated: ['pci'] },
  risk: 'low' as const,
  credentials: name,
  values: { replicas: 2 },
});

const snapshot = {
  clusters: [cluster('eu-west-1a', 'eu-west'), cluster('us-east-1a', 'us-east')],
  fleets: [
    {
      kind: 'Fleet',
      name: 'shop',
      labels: {},
      clusters: { all: false, matchLabels: { tier: 'production' }, matchExpressions: [], regions: ['eu-west'] },
      strategy: 'canary-then-rest',
      values: { domain: 'shop.example' },
      regions: { 'eu-west': { values: { currency: 'EUR' } } },
    },
  ],
  strategies: [
    { kind: 'Strategy', name: 'canary-then-rest', labels: {}, waves: [], runbook: 'https://runbooks.example/shop' },
  ],
  applications: [
    {
      kind: 'Application',
      name: 'podinfo',
      labels: {},
      fleet: 'shop',
      strategy: null,
      trigger: 'manual',
      values: { secretish: 1 },
    },
  ],
  blockedApplications: ['broken'],
} as unknown as FleetSnapshot;

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
  const { sync } = api.record;
  const repository = {
    name: 'fleet',
    url: 'https://robot:hunter2@git.example/fleet.git',
    ref: 'main',
    message: '',
    observed: { commit: COMMIT, at: 1 },
    good: null,
    triedAt: 1,
  };
  const error = {
    file: 'a.yaml',
    line: 3,
    column: 7,
    kind: 'Fleet',
    name: 'shop',
    field: 'spec.strategi',
    message: 'is not a field',
    remedy: 'did you mean "strategy"?',
    blocks: 'snapshot',
  };
  await sync.saveRepository({ ...repository, state: 'Invalid', errors: [error] }, []);
  await sync.saveSnapshot({ id: 's1', repository: 'fleet', commit: COMMIT, model: snapshot, at: 1 }, []);
});
afterEach(() => api.close());

it('shows a repository with its errors, and without the credentials of its address', async () => {
  const { body } = await api.call('GET', '/api/v1/repositories/fleet');
  expect(body).toMatchObject({
    url: 'https://[redacted]@git.example/fleet.git',
    state: 'Invalid',
    observed: { commit: COMMIT, at: '1970-01-01T00:00:00.001Z' },
    good: null,
    errors: [{ file: 'a.yaml', line: 3, column: 7, field: 'spec.strategi', blocks: 'snapshot' }],
  });
  expect(JSON.stringify(body)).not.toContain('hunter2');
  expect((await api.call('GET', '/api/v1/repositories')).body).toMatchObject({ items: [{ name: 'fleet' }] });
});

it.each(['sync', 'approve'])('answers %s with the repository', async (verb) => {
  const { status, body } = await api.call('POST', `/api/v1/repositories/fleet/${verb}`);
  expect({ status, body }).toMatchObject({ status: 200, body: { name: 'fleet' } });
  const missing = await api.call('POST', `/api/v1/repositories/nothing/${verb}`);
  expect(missing).toMatchObject({ status: 404, body: { code: 'RepositoryNotFound' } });
});

it('shows clusters of Git before and after the first contact', async () => {
  const before = await api.call('GET', '/api/v1/clusters/eu-west-1a');
  expect(before.body).toMatchObject({
    state: 'Unknown',
    reason: 'NotContactedYet',
    region: 'eu-west',
    uid: null,
    lastSeen: null,
  });
  await api.record.cluster.observe('eu-west-1a', { kind: 'Seen', uid: 'u-1', version: 'v1.36.3' });
  await api.record.transaction(async (tx) => {
    await tx.setRunning('podinfo', 'eu-west-1a', { commit: COMMIT, digest: DIGEST });
    await tx.setLastGood('podinfo', 'eu-west-1a', { commit: COMMIT, digest: DIGEST });
  });
  const { body } = await api.call('GET', '/api/v1/clusters/eu-west-1a');
  const revision = { commit: COMMIT, digest: DIGEST };
  expect(body).toMatchObject({
    state: 'Ready',
    uid: 'u-1',
    version: 'v1.36.3',
    facts: {
      labels: { tier: 'production' },
      provider: 'aws',
      regulated: ['pci'],
      risk: 'low',
      failureDomain: 'eu-west-1a',
    },
    applications: [
      { application: 'podinfo', desired: revision, running: revision, lastGood: revision, owed: null, blockedBy: null },
    ],
  });
});

it('shows what a cluster is owed as what it should have', async () => {
  const { body: started } = await api.call('POST', '/api/v1/rollouts', { body: { application: 'podinfo' } });
  const { id } = started as { id: never };
  await api.record.transaction(async (tx) => {
    await tx.setRunning('podinfo', 'eu-west-1a', { commit: COMMIT, digest: DIGEST });
    const target = await tx.target(id, 'eu-west-1a');
    await tx.saveTarget({ ...target!, owes: 'back', previous: null });
    await tx.followDebt('podinfo', 'eu-west-1a');
  });
  const { body } = await api.call('GET', '/api/v1/clusters/eu-west-1a');
  expect(body).toMatchObject({ applications: [{ desired: null, owed: { revision: null, rollout: 'rollout-1' } }] });
});

it('lists clusters in pages by name', async () => {
  const first = await api.call('GET', '/api/v1/clusters?limit=1');
  const { items, nextCursor } = first.body as { items: { name: string }[]; nextCursor: string };
  expect(items.map(({ name }) => name)).toEqual(['eu-west-1a']);
  const second = await api.call('GET', `/api/v1/clusters?limit=1&cursor=${nextCursor}`);
  expect(second.body).toMatchObject({ items: [{ name: 'us-east-1a' }], nextCursor: null });
  expect(await api.call('GET', '/api/v1/clusters?cursor=!!')).toMatchObject({
    status: 400,
    body: { code: 'InvalidCursor' },
  });
});

it('accepts, explains, and knows unknown clusters', async () => {
  await api.record.cluster.observe('us-east-1a', { kind: 'Seen', uid: 'u-2', version: 'v1.36.3' });
  await api.record.cluster.observe('us-east-1a', { kind: 'Seen', uid: 'u-3', version: 'v1.36.3' });
  expect((await api.call('GET', '/api/v1/clusters/us-east-1a')).body).toMatchObject({ state: 'Replaced' });
  expect(await api.call('POST', '/api/v1/clusters/us-east-1a/accept')).toMatchObject({
    status: 200,
    body: { name: 'us-east-1a' },
  });
  expect((await api.call('GET', '/api/v1/clusters/us-east-1a/explain')).body).toMatchObject({
    subject: 'cluster us-east-1a',
  });
  for (const path of ['nothing', 'nothing/explain'])
    expect(await api.call('GET', `/api/v1/clusters/${path}`)).toMatchObject({
      status: 404,
      body: { code: 'ClusterNotFound' },
    });
});

it('shows fleets with their clusters and strategies, without values', async () => {
  const fleets = await api.call('GET', '/api/v1/fleets');
  expect(fleets.body).toMatchObject({
    items: [{ name: 'shop', clusters: ['eu-west-1a'], strategy: 'canary-then-rest', commit: COMMIT }],
  });
  expect(JSON.stringify(fleets.body)).not.toContain('currency');
  expect((await api.call('GET', '/api/v1/strategies')).body).toMatchObject({
    items: [{ name: 'canary-then-rest', spec: { runbook: 'https://runbooks.example/shop' } }],
  });
});

it('shows applications: active, invalid, and removed from Git but known to rollouts', async () => {
  await api.call('POST', '/api/v1/rollouts', { body: { application: 'podinfo' } });
  await api.record.sync.saveRelease(
    {
      application: 'podinfo',
      commit: COMMIT,
      digest: DIGEST,
      bundles: { 'eu-west-1a': DIGEST },
      spec: {},
      state: 'Good',
      reason: '',
      errors: [],
    },
    [],
  );
  const { body } = await api.call('GET', '/api/v1/applications');
  expect(body).toMatchObject({
    items: [
      { name: 'broken', state: 'Invalid', fleet: null },
      {
        name: 'podinfo',
        state: 'Active',
        fleet: 'shop',
        gitAhead: true,
        proven: null,
        rollout: { id: 'rollout-1', paused: false },
      },
    ],
  });
  await api.record.sync.saveSnapshot(
    { id: 's2', repository: 'fleet', commit: COMMIT, model: { ...snapshot, applications: [] }, at: 2 },
    [],
  );
  expect((await api.call('GET', '/api/v1/applications/podinfo')).body).toMatchObject({
    state: 'Removed',
    repository: null,
  });
  expect(await api.call('GET', '/api/v1/applications/podinfo/explain')).toMatchObject({
    status: 200,
    body: { subject: 'application/podinfo', blockers: [] },
  });
  expect(await api.call('GET', '/api/v1/applications/nothing')).toMatchObject({
    status: 404,
    body: { code: 'ApplicationNotFound' },
  });
  expect((await api.call('GET', '/api/v1/releases?application=podinfo')).body).toMatchObject({
    items: [{ clusters: 1, state: 'Good' }],
  });
});

it('quarantines a cluster by name and with a reason, and releases it', async () => {
  await api.record.cluster.observe('eu-west-1a', { kind: 'Unreachable', reason: 'Timeout', message: 'no answer' });
  const at = '/api/v1/clusters/eu-west-1a';
  const body = { reason: 'disks are failing' };
  expect(await api.call('POST', `${at}/quarantine`, { body, as: 'viewer' })).toMatchObject({ status: 403 });
  for (const silent of [{}, { reason: '' }, { reason: '  ' }])
    expect(await api.call('POST', `${at}/quarantine`, { body: silent })).toMatchObject({ status: 400 });
  expect(await api.call('POST', `${at}/quarantine`, { body })).toMatchObject({
    status: 200,
    body: {
      state: 'Quarantined',
      reason: 'QuarantinedByPerson',
      message: 'by operator-token: disks are failing; Unreachable: no answer',
      quarantine: { by: 'operator-token', reason: 'disks are failing' },
    },
  });
  const released = await api.call('POST', `${at}/release`, { body: { reason: 'new disks' } });
  expect(released).toMatchObject({ status: 200, body: { state: 'Unreachable', quarantine: null } });
});
