import { type SimulatedFleet, startSimulatedFleet } from '@breakwater/simulator';
import { SimulatedCampaignCluster } from './simulated-campaign-cluster.ts';

describe('what a simulated cluster tells of its writes', () => {
  let fleet: SimulatedFleet;
  let seen: SimulatedCampaignCluster;
  beforeEach(async () => {
    fleet = await startSimulatedFleet({ clusters: [{ name: 's0' }], protocol: 'http' });
    seen = new SimulatedCampaignCluster(fleet.cluster('s0'));
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'web' } });
    await seen.forget();
  });
  afterEach(() => fleet.stop());

  const send = async (method: string, path: string, body: object): Promise<void> => {
    const { server, token } = fleet.cluster('s0');
    const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    const headers = { authorization: `Bearer ${token}`, 'content-type': contentType };
    const { status } = await fetch(`${server}${path}`, { method, headers, body: JSON.stringify(body) });
    if (status >= 300) throw new Error(`${method} ${path}: ${status}`);
  };

  const MAPS = '/api/v1/namespaces/web/configmaps';
  const settings = (version: string) => ({ metadata: { name: 'settings-0' }, data: { version } });
  const told = async () => (await seen.landings()).map(({ verb, object, version }) => [verb, object, version]);

  it('creates, changes and deletions, in their order', async () => {
    await send('POST', MAPS, settings('1'));
    await send('PATCH', `${MAPS}/settings-0`, { data: { version: '2' } });
    await send('DELETE', `${MAPS}/settings-0`, {});
    expect(await told()).toEqual([
      ['create', 'configmaps/web/settings-0', '1'],
      ['write', 'configmaps/web/settings-0', '2'],
      ['delete', 'configmaps/web/settings-0', null],
    ]);
    const times = (await seen.landings()).map(({ landedAt }) => landedAt);
    expect([...new Set(times)].sort((a, b) => a - b)).toEqual(times);
  });

  it('the mark of a take-over is of no version, and what only a controller writes is not told', async () => {
    await send('POST', MAPS, settings('1'));
    await seen.forget();
    await send('PATCH', `${MAPS}/settings-0`, { metadata: { annotations: { 'breakwater.dev/epoch': '3' } } });
    await send('PATCH', `${MAPS}/settings-0`, { metadata: { annotations: { 'example.com/count': '3' } } });
    expect(await told()).toEqual([['write', 'configmaps/web/settings-0', null]]);
  });

  it('a held write lands only when it is told to, also when another fault ends before', async () => {
    await send('POST', MAPS, settings('1'));
    await seen.forget();
    const held = seen.hold();
    const late = send('PATCH', `${MAPS}/settings-0`, { data: { version: '2' } });
    while (!held.caught()) await new Promise(setImmediate);
    const mend = await seen.disturb('lose answers');
    await mend();
    expect(await told()).toEqual([]);
    await held.land();
    await late;
    expect(await told()).toEqual([['write', 'configmaps/web/settings-0', '2']]);
  });

  it('a stranger that is touched is another one', async () => {
    await seen.putStranger();
    const before = (await seen.end()).stranger;
    expect(before.now).toBe(before.before);
    await send('PATCH', `${MAPS}/stranger`, { data: { mine: 'no' } });
    const after = (await seen.end()).stranger;
    expect(after.now).not.toBe(after.before);
  });
});
