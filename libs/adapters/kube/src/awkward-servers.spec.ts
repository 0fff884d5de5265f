import type { KubeObject, ObjectKey } from '@breakwater/domain';
import { assessFresh } from './assess.ts';
import { Ended } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { CONFIG_MAPS } from './kube-api.ts';
import { leftoversIn } from './leftovers.ts';
import { LIST_OF_NONE, StubApi } from './testing/stub-api.ts';

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const CLAIM = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', namespaced: true };
const LAMP = { apiVersion: 'example.com/v1', kind: 'Lamp', plural: 'lamps', namespaced: true };
const signal = new AbortController().signal;

const endOf = async (run: Promise<unknown>): Promise<unknown> => {
  try {
    return await run;
  } catch (error) {
    if (error instanceof Ended) return error.end;
    throw error;
  }
};

describe('an API server that is not as it should be', () => {
  const stub = new StubApi();
  let api: KubeApi;

  beforeEach(async () => {
    api = await stub.start();
    stub.kinds = [CONFIG_MAP];
    stub.stale = [];
    stub.answer = () => LIST_OF_NONE;
    stub.asked.length = 0;
  });
  afterEach(() => stub.stop());

  describe('lists', () => {
    it('that have no end are given up', async () => {
      stub.answer = () => ({ metadata: { continue: 'more' }, items: [] });
      expect(await endOf(api.list(CONFIG_MAPS, 'shop', signal, { limit: 100, pageSize: 50 }))).toMatchObject({
        kind: 'Unreachable',
        reason: 'ServerError',
        message: expect.stringContaining('pages') as string,
      });
      expect(stub.asked.length).toBe(12);
    });

    it('are bounded in bytes over all pages', async () => {
      const items = [{ metadata: { name: 'a' }, data: { a: 'x'.repeat(1_000) } }];
      stub.answer = () => ({ metadata: { continue: 'more' }, items });
      expect(await endOf(api.list(CONFIG_MAPS, 'shop', signal, { maxBytes: 3_000 }))).toMatchObject({
        kind: 'Unreachable',
        message: expect.stringContaining('larger than') as string,
      });
      expect(stub.asked.length).toBe(3);
    });
  });

  describe('what is left in a namespace', () => {
    it('counts kinds that were defined after the connection was made', async () => {
      expect(await leftoversIn(api, 'shop', signal)).toEqual({ objects: [], unknown: [] });
      stub.kinds = [CONFIG_MAP, LAMP];
      stub.answer = (path) => (path.endsWith('/lamps') ? { items: [{ metadata: { name: 'theirs' } }] } : LIST_OF_NONE);
      expect(await leftoversIn(api, 'shop', signal)).toMatchObject({ objects: [{ kind: 'Lamp' }] });
    });

    it('is nothing of a kind that went between discovery and list', async () => {
      stub.kinds = [CONFIG_MAP, LAMP];
      stub.answer = (path) => {
        if (!path.endsWith('/lamps')) return LIST_OF_NONE;
        stub.kinds = [CONFIG_MAP];
        return 404;
      };
      expect(await leftoversIn(api, 'shop', signal)).toEqual({ objects: [], unknown: [] });
    });

    it('is not known of a kind that is served and cannot be listed', async () => {
      stub.kinds = [CONFIG_MAP, LAMP];
      stub.answer = (path) => (path.endsWith('/lamps') ? 404 : LIST_OF_NONE);
      expect(await endOf(leftoversIn(api, 'shop', signal))).toMatchObject({ kind: 'Unreachable' });
    });

    it('is not known of groups whose servers are away; metrics are nobody’s belongings', async () => {
      stub.stale = ['metrics.k8s.io', 'example.com'];
      expect(await leftoversIn(api, 'shop', signal)).toEqual({ objects: [], unknown: ['example.com'] });
    });
  });

  describe('a look at the objects', () => {
    const look = (keys: readonly { readonly key: string; readonly apiVersion: string }[], more: object = {}) =>
      assessFresh(api, {
        application: 'web',
        keys: keys as readonly { readonly key: ObjectKey; readonly apiVersion: string }[],
        baseline: {},
        changed: [],
        signal,
        ...more,
      });
    const maps = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ key: `ConfigMap/shop/c${index}`, apiVersion: 'v1' }));

    it('asks by name for a few, and pages through what is there for many', async () => {
      stub.answer = (path) => (path.endsWith('/configmaps') ? LIST_OF_NONE : { metadata: { name: 'it' } });
      await look(maps(3));
      expect(stub.asked).toEqual([0, 1, 2].map((index) => `/api/v1/namespaces/shop/configmaps/c${index}`));
      stub.asked.length = 0;
      await look(maps(12));
      expect(stub.asked).toEqual(['/api/v1/namespaces/shop/configmaps?limit=48']);
    });

    it('asks by name when what others have there is too much', async () => {
      const crowd = [{ metadata: { name: 'theirs' }, data: { a: 'x'.repeat(33 * 1024 * 1024) } }];
      stub.answer = (path) =>
        path.endsWith('/configmaps') ? { items: crowd } : { ...CONFIG_MAP, metadata: { name: 'it' } };
      const report = await look(maps(12));
      expect(report.objects).toHaveLength(12);
      expect(report.objects.filter(({ missing }) => missing === true)).toEqual([]);
      expect(stub.asked.length).toBe(13);
    });

    it('ends when its time is over, and says so', async () => {
      await stub.stop();
      api = await stub.start({ assess: 300 });
      stub.answer = () => new Promise<object>(() => undefined);
      expect(await endOf(look(maps(3)))).toMatchObject({ kind: 'Unreachable', reason: 'Timeout' });
    });

    it('knows what the release changed by the name that the cluster has for it', async () => {
      stub.kinds = [{ ...LAMP, namespaced: false }];
      const lamp: KubeObject = { ...LAMP, metadata: { name: 'hall' }, status: { conditions: [] } };
      const ill = { type: 'Ready', status: 'False', reason: 'Broken', message: 'no light' };
      stub.answer = (path) =>
        path.endsWith('/lamps/hall') ? { ...lamp, status: { conditions: [ill] } } : LIST_OF_NONE;
      const key = 'example.com/Lamp/shop/hall';
      const baseline = { 'example.com/Lamp//hall': 'Failing' };
      const keys = [{ key, apiVersion: 'example.com/v1' }];
      expect((await look(keys, { baseline })).excused).toEqual(['example.com/Lamp//hall']);
      expect((await look(keys, { baseline, changed: [key] })).excused).toEqual([]);
    });

    it('asks what a pending claim waits for, however many events there are', async () => {
      stub.kinds = [CLAIM];
      const uid = 'u1';
      const claim = { ...CLAIM, metadata: { name: 'data', namespace: 'shop', uid }, status: { phase: 'Pending' } };
      const event = {
        metadata: { name: 'e', namespace: 'shop' },
        involvedObject: { kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'data', uid },
        reason: 'WaitForFirstConsumer',
      };
      stub.answer = (path, query) => {
        if (path.endsWith('/persistentvolumeclaims/data')) return claim;
        return query.get('fieldSelector') === 'involvedObject.kind=PersistentVolumeClaim,involvedObject.name=data'
          ? { items: [event] }
          : LIST_OF_NONE;
      };
      const report = await look([{ key: 'PersistentVolumeClaim/shop/data', apiVersion: 'v1' }]);
      expect(report).toMatchObject({ verdict: 'Healthy', objects: [{ reason: 'WaitForFirstConsumer' }] });
    });
  });
});
