import type { FleetSnapshot } from '@breakwater/domain';
import { startApi } from '../testing/api-fixture.ts';
import type { ApiFixture } from '../testing/api-fixture.ts';
import { COMMIT, DIGEST } from '../testing/fake-rollouts.ts';

const snapshot = {
  clusters: [],
  fleets: [{ kind: 'Fleet', name: 'shop', labels: {}, clusters: { all: true }, strategy: 'careful', values: { a: 1 } }],
  strategies: [{ kind: 'Strategy', name: 'careful', labels: {}, waves: [], runbook: 'https://runbooks.example/shop' }],
  applications: [],
  blockedApplications: [],
} as unknown as FleetSnapshot;

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
  await api.record.sync.saveSnapshot({ id: 's1', repository: 'fleet', commit: COMMIT, model: snapshot, at: 1 }, []);
});
afterEach(() => api.close());

const get = (path: string) => api.call('GET', `/api/v1/${path}`, { as: 'viewer' });

it('shows one fleet and one strategy as their lists do', async () => {
  for (const [kind, name] of [
    ['fleets', 'shop'],
    ['strategies', 'careful'],
  ]) {
    const { items } = (await get(`${kind}`)).body as { items: readonly object[] };
    expect(await get(`${kind}/${name}`)).toMatchObject({ status: 200, body: items[0] });
  }
});

it.each([
  ['fleets/nothing', 'FleetNotFound', 'breakwater fleet list'],
  ['strategies/nothing', 'StrategyNotFound', 'GET /api/v1/strategies'],
])('does not know %s, and says where to look', async (path, code, remedy) => {
  const answer = await get(path);
  expect(answer).toMatchObject({ status: 404, body: { code, remedy: expect.stringContaining(remedy) } });
});

it('refuses baselines as not supported yet', async () => {
  expect(await get('baselines')).toMatchObject({ status: 422, body: { code: 'NotSupportedYet' } });
});

it('lists the releases of all applications in pages, newest first', async () => {
  for (const application of ['web', 'shop', 'web2']) {
    const release = { application, commit: COMMIT, digest: DIGEST, bundles: {}, spec: {}, reason: '', errors: [] };
    await api.record.sync.saveRelease({ ...release, state: 'Good' }, []);
  }
  const first = (await get('releases?limit=2')).body as { items: { application: string }[]; nextCursor: string };
  expect(first.items.map(({ application }) => application)).toEqual(['web2', 'shop']);
  const second = await get(`releases?limit=2&cursor=${first.nextCursor}`);
  expect(second.body).toMatchObject({ items: [{ application: 'web' }], nextCursor: null });
  expect((await get('releases?application=shop')).body).toMatchObject({ items: [{ application: 'shop' }] });
});
