import { configMap, fresh, paths } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';

/** Watches: where they start, what they select, how they end. */
export function describeWatching(context: ContextOf): void {
  const maps = (): string => paths.configMaps(context().namespace);

  describe('watch', () => {
    it('tells what happens after a resourceVersion', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: list } = await client.get(maps());
      const query = `watch=1&fieldSelector=metadata.name%3D${name}`;
      const watch = await client.watch(`${maps()}?${query}&resourceVersion=${list.metadata.resourceVersion}`);
      const { body: made } = await client.apply(`${maps()}/${name}`, configMap(name, { a: '1' }));
      const added = await watch.next();
      expect(added).toEqual({ type: 'ADDED', object: made });
      const { body: changed } = await client.apply(`${maps()}/${name}`, configMap(name, { a: '2' }));
      expect(await watch.next()).toEqual({ type: 'MODIFIED', object: changed });
      await client.request('DELETE', `${maps()}/${name}`);
      const deleted = await watch.next();
      expect(deleted.type).toBe('DELETED');
      expect(Number(deleted.object.metadata.resourceVersion)).toBeGreaterThan(Number(changed.metadata.resourceVersion));
      watch.close();
    });

    it('tells again what happened between the list and the watch', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: list } = await client.get(maps());
      await client.apply(`${maps()}/${name}`, configMap(name, { a: '1' }));
      await client.apply(`${maps()}/${name}`, configMap(name, { a: '2' }));
      const watch = await client.watch(`${maps()}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
      const types = [
        (await watch.next((frame) => frame.object.metadata.name === name)).type,
        (await watch.next((frame) => frame.object.metadata.name === name)).type,
      ];
      expect(types).toEqual(['ADDED', 'MODIFIED']);
      watch.close();
    });

    it('does not tell of an apply that changed nothing', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body } = await client.apply(`${maps()}/${name}`, configMap(name, { a: '1' }));
      const watch = await client.watch(
        `${maps()}?watch=1&fieldSelector=metadata.name%3D${name}&resourceVersion=${body.metadata.resourceVersion}`,
      );
      await client.apply(`${maps()}/${name}`, configMap(name, { a: '1' }));
      await client.apply(`${maps()}/${name}`, configMap(name, { a: '2' }));
      expect((await watch.next()).object.data).toEqual({ a: '2' });
      watch.close();
    });

    it('adds and deletes as objects come into a selection and leave it', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body } = await client.apply(`${maps()}/${name}`, configMap(name, {}));
      const watch = await client.watch(
        `${maps()}?watch=1&labelSelector=run%3D${name}&resourceVersion=${body.metadata.resourceVersion}`,
      );
      await client.apply(`${maps()}/${name}`, configMap(name, {}, { labels: { run: name } }));
      expect((await watch.next()).type).toBe('ADDED');
      await client.apply(`${maps()}/${name}`, configMap(name, {}));
      expect((await watch.next()).type).toBe('DELETED');
      watch.close();
    });

    it('starts with what is there when no resourceVersion is given', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(`${maps()}/${name}`, configMap(name, {}));
      const watch = await client.watch(`${maps()}?watch=1&fieldSelector=metadata.name%3D${name}`);
      expect(await watch.next()).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name } } });
      watch.close();
    });

    it('sends a bookmark with a resourceVersion before it ends by its time-out', async () => {
      const { client } = context();
      const { body: list } = await client.get(maps());
      const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=6&resourceVersion=${list.metadata.resourceVersion}`;
      const watch = await client.watch(`${maps()}?${query}`);
      const name = fresh('cm');
      const { body: made } = await client.apply(`${maps()}/${name}`, configMap(name, {}));
      const bookmark = await watch.next((frame) => frame.type === 'BOOKMARK', 20_000);
      expect(bookmark.object.kind).toBe('ConfigMap');
      expect(Number(bookmark.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(
        Number(made.metadata.resourceVersion),
      );
      await watch.ended(15_000);
    }, 30_000);

    it('sends what is there and then a bookmark that says so, when asked for initial events', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(`${maps()}/${name}`, configMap(name, {}));
      const query = `watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&fieldSelector=metadata.name%3D${name}`;
      const watch = await client.watch(`${maps()}?${query}`);
      expect((await watch.next()).type).toBe('ADDED');
      const bookmark = await watch.next();
      expect(bookmark).toMatchObject({
        type: 'BOOKMARK',
        object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
      });
      watch.close();
    });

    it('ends after timeoutSeconds', async () => {
      const { client } = context();
      const { body: list } = await client.get(maps());
      const watch = await client.watch(
        `${maps()}?watch=1&timeoutSeconds=1&resourceVersion=${list.metadata.resourceVersion}`,
      );
      await watch.ended();
    });
  });
}
