import { configMap, deployment, fresh, paths, strangeUid } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';
import type { Answer } from './kube-api-client.ts';

/** Create, update, patch, delete, and what is refused. */
export function describeWriting(context: ContextOf): void {
  const maps = (): string => paths.configMaps(context().namespace);

  describe('create, update and patch', () => {
    it('creates with a name of its own making', async () => {
      const { client } = context();
      const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'made-' } };
      const { status, body } = await client.request('POST', maps(), object);
      expect(status).toBe(201);
      expect(body.metadata.name).toMatch(/^made-[a-z0-9]{5}$/);
    });

    it('answers 409 AlreadyExists to a second create', async () => {
      const { client } = context();
      const name = fresh('cm');
      expect((await client.request('POST', maps(), configMap(name, {}))).status).toBe(201);
      const { status, body } = await client.request('POST', maps(), configMap(name, {}));
      expect(status).toBe(409);
      expect(body).toMatchObject({ reason: 'AlreadyExists', message: `configmaps "${name}" already exists` });
    });

    it('replaces with the resourceVersion that is current, and refuses a stale one', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: first } = await client.request('POST', maps(), configMap(name, { a: '1' }));
      const { resourceVersion } = first.metadata;
      const put = await client.request('PUT', `${maps()}/${name}`, configMap(name, { b: '2' }, { resourceVersion }));
      expect(put.status).toBe(200);
      expect(put.body.data).toEqual({ b: '2' });
      expect(put.body.metadata.uid).toBe(first.metadata.uid);
      const stale = await client.request('PUT', `${maps()}/${name}`, configMap(name, { c: '3' }, { resourceVersion }));
      expect(stale.status).toBe(409);
      expect(stale.body.reason).toBe('Conflict');
      expect((await client.request('PUT', `${maps()}/absent`, configMap('absent', {}))).status).toBe(404);
    });

    it('removes by null in a merge patch, and judges its resourceVersion', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: first } = await client.request('POST', maps(), configMap(name, { a: '1', b: '2' }));
      const { status, body } = await client.patch(`${maps()}/${name}`, {
        data: { a: null },
        metadata: { labels: { x: 'y' } },
      });
      expect(status).toBe(200);
      expect(body.data).toEqual({ b: '2' });
      expect(body.metadata.labels).toEqual({ x: 'y' });
      const { resourceVersion } = first.metadata;
      const stale = await client.patch(`${maps()}/${name}`, { metadata: { resourceVersion }, data: { c: '3' } });
      expect(stale.status).toBe(409);
    });

    it('takes JSON patches', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.request('POST', maps(), configMap(name, { a: '1' }));
      const good = await client.patch(`${maps()}/${name}`, [{ op: 'replace', path: '/data/a', value: '2' }], 'json');
      expect(good.body.data).toEqual({ a: '2' });
      const bad = await client.patch(`${maps()}/${name}`, [{ op: 'test', path: '/data/a', value: '1' }], 'json');
      expect(bad.status).toBe(422);
    });

    it('keeps the status out of the reach of an update, and the rest out of the reach of a status update', async () => {
      const { client, namespace } = context();
      const name = fresh('web');
      await client.apply(`${paths.deployments(namespace)}/${name}`, deployment(name, { replicas: 0 }));
      const main = await client.patch(`${paths.deployments(namespace)}/${name}`, { status: { replicas: 77 } });
      expect(main.body.status.replicas).not.toBe(77);
      const sub = await client.patch(`${paths.deployments(namespace)}/${name}/status`, { spec: { replicas: 5 } });
      expect(sub.status).toBe(200);
      expect(sub.body.spec.replicas).toBe(0);
    });

    it('stores plain texts of a Secret as data', async () => {
      const { client, namespace } = context();
      const name = fresh('secret');
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { a: 'x' } };
      const { body } = await client.request('POST', paths.secrets(namespace), secret);
      expect(body).toMatchObject({ type: 'Opaque', data: { a: 'eA==' } });
      expect(body.stringData).toBeUndefined();
    });

    it('gives a Service its address and keeps it', async () => {
      const { client, namespace } = context();
      const name = fresh('svc');
      const service = {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: 'x' }, ports: [{ port: 80 }] },
      };
      const path = `${paths.services(namespace)}/${name}`;
      const { body } = await client.apply(path, service);
      expect(body.spec.ports).toEqual([{ port: 80, protocol: 'TCP', targetPort: 80 }]);
      expect(body.spec.clusterIP).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const again = await client.apply(path, service);
      expect(again.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
      const moved = await client.patch(path, { spec: { clusterIP: '10.0.0.99', clusterIPs: ['10.0.0.99'] } });
      expect(moved.status).toBe(422);
    });
  });

  describe('what is refused', () => {
    it('answers 422 with causes to an object that is invalid', async () => {
      const { client, namespace } = context();
      const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'bad' }, spec: {} };
      const { status, body } = await client.apply(`${paths.deployments(namespace)}/bad`, object);
      expect(status).toBe(422);
      expect(body).toMatchObject({ reason: 'Invalid', details: { name: 'bad', group: 'apps', kind: 'Deployment' } });
      const fields = body.details.causes.map((cause: Answer) => cause.field);
      expect(fields).toEqual(
        expect.arrayContaining(['spec.selector', 'spec.template.metadata.labels', 'spec.template.spec.containers']),
      );
    });

    it('refuses names and labels of a wrong form', async () => {
      const { client } = context();
      const { status, body } = await client.request(
        'POST',
        maps(),
        configMap('Bad_Name', {}, { labels: { x: 'a b' } }),
      );
      expect(status).toBe(422);
      const fields = body.details.causes.map((cause: Answer) => cause.field);
      expect(fields).toEqual(expect.arrayContaining(['metadata.name', 'metadata.labels']));
    });

    it('refuses to change the selector of a Deployment', async () => {
      const { client, namespace } = context();
      const name = fresh('web');
      const path = `${paths.deployments(namespace)}/${name}`;
      await client.apply(path, deployment(name, { replicas: 0 }));
      const labels = { app: 'other' };
      const spec = {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x:1' }] } },
      };
      const { status, body } = await client.apply(path, deployment(name, { spec }));
      expect(status).toBe(422);
      expect(body.details.causes).toEqual([
        expect.objectContaining({
          field: 'spec.selector',
          reason: 'FieldValueInvalid',
          message: expect.stringContaining('field is immutable'),
        }),
      ]);
    });

    it('refuses to change the template of a Job', async () => {
      const { client, namespace } = context();
      const name = fresh('job');
      const job = (image: string): object => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: { suspend: true, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } } },
      });
      const path = `${paths.jobs(namespace)}/${name}`;
      const first = await client.apply(path, job('a:1'));
      expect(first.status).toBe(201);
      expect((await client.apply(path, job('a:1'))).status).toBe(200);
      const { status, body } = await client.apply(path, job('a:2'));
      expect(status).toBe(422);
      expect(body.details.causes[0].field).toBe('spec.template');
      expect(body.message).toContain('field is immutable');
    });

    it('refuses an update of what a StatefulSet cannot change', async () => {
      const { client, namespace } = context();
      const name = fresh('sts');
      const set = (serviceName: string): object => ({
        ...deployment(name, { replicas: 0, spec: { serviceName } }),
        kind: 'StatefulSet',
      });
      const path = `${paths.statefulSets(namespace)}/${name}`;
      expect((await client.apply(path, set('a'))).status).toBe(201);
      const { status, body } = await client.apply(path, set('b'));
      expect(status).toBe(422);
      expect(body.details.causes[0]).toMatchObject({ field: 'spec', reason: 'FieldValueForbidden' });
    });

    it('refuses a change of a ConfigMap that says that it is immutable', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.request('POST', maps(), { ...configMap(name, { a: '1' }), immutable: true });
      const { status, body } = await client.patch(`${maps()}/${name}`, { data: { a: '2' } });
      expect(status).toBe(422);
      expect(body.details.causes[0].field).toBe('data');
    });

    it('answers 400 to bodies that are not what the path says', async () => {
      const { client } = context();
      const bad = async (object: unknown): Promise<number> => (await client.request('POST', maps(), object)).status;
      expect(await bad('nonsense')).toBe(400);
      expect(await bad({ apiVersion: 'apps/v1', kind: 'ConfigMap', metadata: { name: 'x' } })).toBe(400);
      expect(await bad(configMap('x', {}, { namespace: 'elsewhere' }))).toBe(400);
      expect(await bad({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 1 } })).toBe(400);
    });

    it('answers 422 without a name', async () => {
      const { status, body } = await context().client.request('POST', maps(), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {},
      });
      expect(status).toBe(422);
      expect(body.details.causes[0]).toMatchObject({ field: 'metadata.name', reason: 'FieldValueRequired' });
    });

    it('answers 405 and 415 to what it does not understand', async () => {
      const { client } = context();
      expect((await client.request('POST', `${maps()}/x`, configMap('x', {}))).status).toBe(405);
      expect(
        (await client.request('PATCH', `${maps()}/kube-root-ca.crt`, {}, { 'content-type': 'application/json' }))
          .status,
      ).toBe(415);
    });

    it('drops unknown fields of a create, or refuses them under Strict', async () => {
      const { client } = context();
      const name = fresh('cm');
      const object = { ...configMap(name, {}), bogus: 1 };
      const strict = await client.request('POST', `${maps()}?fieldValidation=Strict`, object);
      expect(strict.status).toBe(400);
      expect(strict.body.message).toContain('unknown field "bogus"');
      const lax = await client.request('POST', maps(), object);
      expect(lax.status).toBe(201);
      expect(lax.body.bogus).toBeUndefined();
      expect(String(lax.headers['warning'])).toContain('unknown field');
    });
  });

  describe('delete', () => {
    it('answers 200, and the object is gone', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: made } = await client.request('POST', maps(), configMap(name, {}));
      const { status, body } = await client.request('DELETE', `${maps()}/${name}`);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        kind: 'Status',
        status: 'Success',
        details: { name, kind: 'configmaps', uid: made.metadata.uid },
      });
      expect((await client.get(`${maps()}/${name}`)).status).toBe(404);
      expect((await client.request('DELETE', `${maps()}/${name}`)).status).toBe(404);
    });

    it('answers 409 to a stale precondition, and leaves the object', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: made } = await client.request('POST', maps(), configMap(name, {}));
      const remove = (preconditions: object): Promise<{ status: number; body: Answer }> =>
        client.request('DELETE', `${maps()}/${name}`, { apiVersion: 'v1', kind: 'DeleteOptions', preconditions });
      const uid = await remove({ uid: strangeUid });
      expect(uid.status).toBe(409);
      expect(uid.body.reason).toBe('Conflict');
      expect(uid.body.message).toContain('the UID in the precondition');
      const version = await remove({ resourceVersion: '1' });
      expect(version.status).toBe(409);
      expect(version.body.message).toContain('the ResourceVersion in the precondition');
      const current = { uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion };
      expect((await remove(current)).status).toBe(200);
    });

    it('waits for finalizers', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.request('POST', maps(), configMap(name, {}, { finalizers: ['conformance.example/hold'] }));
      const { status, body } = await client.request('DELETE', `${maps()}/${name}`);
      expect(status).toBe(200);
      expect(body.metadata.deletionTimestamp).toBeDefined();
      expect((await client.get(`${maps()}/${name}`)).status).toBe(200);
      await client.patch(`${maps()}/${name}`, { metadata: { finalizers: null } });
      expect((await client.get(`${maps()}/${name}`)).status).toBe(404);
    });

    it('deletes a collection by label', async () => {
      const { client } = context();
      const run = fresh('run');
      for (const n of [1, 2]) await client.request('POST', maps(), configMap(`${run}-${n}`, {}, { labels: { run } }));
      expect((await client.request('DELETE', `${maps()}?labelSelector=run%3D${run}`)).status).toBe(200);
      expect((await client.get(`${maps()}?labelSelector=run%3D${run}`)).body.items).toEqual([]);
    });

    it('collects what the deleted object owned, or leaves it as an orphan', async () => {
      const { client } = context();
      const owned = async (policy: string): Promise<{ owner: string; child: string }> => {
        const [owner, child] = [fresh('owner'), fresh('child')];
        const { body } = await client.request('POST', maps(), configMap(owner, {}));
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: owner, uid: body.metadata.uid };
        await client.request('POST', maps(), configMap(child, {}, { ownerReferences: [reference] }));
        await client.request('DELETE', `${maps()}/${owner}`, { propagationPolicy: policy });
        return { owner, child };
      };
      const background = await owned('Background');
      await client.until(`${maps()}/${background.child}`, ({ status }) => status === 404, 30_000);
      const orphan = await owned('Orphan');
      await client.until(`${maps()}/${orphan.owner}`, ({ status }) => status === 404, 30_000);
      const { status, body } = await client.get(`${maps()}/${orphan.child}`);
      expect(status).toBe(200);
      expect(body.metadata.ownerReferences).toBeUndefined();
    }, 60_000);
  });
}
