import { configMap, deployment, fresh, paths, strangeUid } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';
import type { Answer } from './kube-api-client.ts';

function entryOf(object: Answer, manager: string, operation = 'Apply'): Answer {
  return object.metadata.managedFields?.find(
    (entry: Answer) => entry.manager === manager && entry.operation === operation,
  );
}

/** Server-side apply: ownership, merging, taking away, conflicts, preconditions, dry runs. */
export function describeApply(context: ContextOf): void {
  const at = (name: string): string => `${paths.configMaps(context().namespace)}/${name}`;
  const web = (name: string): string => `${paths.deployments(context().namespace)}/${name}`;

  describe('server-side apply', () => {
    it('creates with 201, and records what the manager owns and when', async () => {
      const { client, namespace } = context();
      const name = fresh('cm');
      const { status, body } = await client.apply(at(name), configMap(name, { a: '1' }, { labels: { x: 'y' } }));
      expect(status).toBe(201);
      expect(body.metadata).toMatchObject({ name, namespace, labels: { x: 'y' } });
      expect(body.metadata.managedFields).toEqual([
        {
          manager: 'breakwater',
          operation: 'Apply',
          apiVersion: 'v1',
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:x': {} } } },
        },
      ]);
    });

    it('answers 200 and keeps the resourceVersion when nothing changes', async () => {
      const { client } = context();
      const name = fresh('cm');
      const first = await client.apply(at(name), configMap(name, { a: '1' }));
      const second = await client.apply(at(name), configMap(name, { a: '1' }));
      expect(second.status).toBe(200);
      expect(second.body).toEqual(first.body);
    });

    it('owns items of a list by their keys', async () => {
      const { client } = context();
      const name = fresh('web');
      const container = { ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] };
      const { body } = await client.apply(web(name), deployment(name, { container }));
      const spec = entryOf(body, 'breakwater').fieldsV1['f:spec']['f:template']['f:spec'];
      expect(spec).toEqual({
        'f:containers': {
          'k:{"name":"main"}': {
            '.': {},
            'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            'f:image': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      });
      expect(entryOf(body, 'breakwater').fieldsV1['f:spec']['f:selector']).toEqual({});
    });

    it('adds the defaults of the kind, which nobody owns', async () => {
      const { client } = context();
      const name = fresh('web');
      const { body } = await client.apply(web(name), deployment(name));
      expect(body.spec).toMatchObject({
        replicas: 1,
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      });
      expect(body.spec.template.spec).toMatchObject({
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        terminationGracePeriodSeconds: 30,
        securityContext: {},
      });
      expect(body.spec.template.spec.containers).toEqual([
        {
          name: 'main',
          image: 'registry.example/web:1',
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ]);
      expect(body.metadata.generation).toBe(1);
    });

    it('takes away what the manager applied before and does not any more', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(
        at(name),
        configMap(name, { a: '1', b: '2' }, { labels: { x: 'y' }, annotations: { n: 'o' } }),
      );
      const { body } = await client.apply(at(name), configMap(name, { a: '1' }, { labels: { x: 'y' } }));
      expect(body.data).toEqual({ a: '1' });
      expect(body.metadata.annotations).toBeUndefined();
      expect(entryOf(body, 'breakwater').fieldsV1).toEqual({
        'f:data': { 'f:a': {} },
        'f:metadata': { 'f:labels': { 'f:x': {} } },
      });
    });

    it('takes away list items by key, with the defaults that they got', async () => {
      const { client } = context();
      const name = fresh('web');
      const two = {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        ports: [{ containerPort: 80 }, { containerPort: 81 }],
      };
      await client.apply(web(name), deployment(name, { container: two }));
      const one = { env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 81 }] };
      const { body } = await client.apply(web(name), deployment(name, { container: one }));
      expect(body.spec.template.spec.containers[0].env).toEqual([{ name: 'B', value: '2' }]);
      expect(body.spec.template.spec.containers[0].ports).toEqual([{ containerPort: 81, protocol: 'TCP' }]);
    });

    it('returns a removed field to its default', async () => {
      const { client } = context();
      const name = fresh('web');
      await client.apply(web(name), deployment(name, { replicas: 3 }));
      const { body } = await client.apply(web(name), deployment(name));
      expect(body.spec.replicas).toBe(1);
      expect(body.metadata.generation).toBe(2);
    });

    it('replaces atomic lists and structures whole', async () => {
      const { client } = context();
      const name = fresh('web');
      await client.apply(web(name), deployment(name, { container: { args: ['a', 'b'] } }));
      const { body } = await client.apply(web(name), deployment(name, { container: { args: ['c'] } }));
      expect(body.spec.template.spec.containers[0].args).toEqual(['c']);
    });

    it('leaves alone what other managers own', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1' }));
      await client.apply(at(name), configMap(name, { b: '2' }), 'fieldManager=other');
      const { body } = await client.apply(at(name), configMap(name, { a: '3' }));
      expect(body.data).toEqual({ a: '3', b: '2' });
      expect(entryOf(body, 'other').fieldsV1).toEqual({ 'f:data': { 'f:b': {} } });
    });

    it('keeps a field that two own until both have let go', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1', keep: 'x' }));
      const shared = await client.apply(at(name), configMap(name, { a: '1' }), 'fieldManager=other');
      expect(shared.status).toBe(200);
      const left = await client.apply(at(name), configMap(name, { keep: 'x' }));
      expect(left.body.data).toEqual({ a: '1', keep: 'x' });
      const gone = await client.apply(
        at(name),
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
        'fieldManager=other',
      );
      expect(gone.body.data).toEqual({ keep: 'x' });
      expect(entryOf(gone.body, 'other')).toBeUndefined();
    });

    it('reports a conflict with its owner and field, and changes nothing', async () => {
      const { client } = context();
      const name = fresh('web');
      const first = await client.apply(web(name), deployment(name, { replicas: 0 }));
      const { status, body } = await client.apply(
        web(name),
        deployment(name, { replicas: 0, image: 'registry.example/web:2' }),
        'fieldManager=other',
      );
      expect(status).toBe(409);
      expect(body).toEqual({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message:
          'Apply failed with 1 conflict: conflict with "breakwater": .spec.template.spec.containers[name="main"].image',
        reason: 'Conflict',
        details: {
          causes: [
            {
              reason: 'FieldManagerConflict',
              message: 'conflict with "breakwater"',
              field: '.spec.template.spec.containers[name="main"].image',
            },
          ],
        },
        code: 409,
      });
      const now = await client.get(web(name));
      expect(now.body.spec).toEqual(first.body.spec);
      expect(entryOf(now.body, 'other')).toBeUndefined();
    });

    it('reports a conflict with somebody who updated, naming how they wrote', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1' }));
      await client.patch(`${at(name)}?fieldManager=kubectl-edit`, { data: { a: 'edited' } });
      const { status, body } = await client.apply(at(name), configMap(name, { a: '1' }));
      expect(status).toBe(409);
      expect(body.details.causes).toEqual([
        {
          reason: 'FieldManagerConflict',
          message: expect.stringMatching(/^conflict with "kubectl-edit" using v1( at .*)?$/),
          field: '.data.a',
        },
      ]);
    });

    it('counts several conflicts', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1', b: '1' }));
      const { body } = await client.apply(at(name), configMap(name, { a: '2', b: '2' }), 'fieldManager=other');
      expect(body.message).toMatch(/^Apply failed with 2 conflicts/);
      expect(body.details.causes.map((cause: Answer) => cause.field)).toEqual(['.data.a', '.data.b']);
    });

    it('takes over by force, and the loser owns it no more', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1', b: '1' }));
      const { status, body } = await client.apply(
        at(name),
        configMap(name, { a: '2' }),
        'fieldManager=other&force=true',
      );
      expect(status).toBe(200);
      expect(body.data).toEqual({ a: '2', b: '1' });
      expect(entryOf(body, 'breakwater').fieldsV1).toEqual({ 'f:data': { 'f:b': {} } });
      expect(entryOf(body, 'other').fieldsV1).toEqual({ 'f:data': { 'f:a': {} } });
    });

    it('gives an update the fields that it changed', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1', b: '1' }));
      const { body } = await client.patch(`${at(name)}?fieldManager=kubectl-edit`, { data: { a: '2', c: '3' } });
      expect(entryOf(body, 'breakwater').fieldsV1).toEqual({ 'f:data': { 'f:b': {} } });
      expect(entryOf(body, 'kubectl-edit', 'Update').fieldsV1).toEqual({ 'f:data': { 'f:a': {}, 'f:c': {} } });
    });

    it('moves the resourceVersion with an annotation, the generation only of Deployments', async () => {
      const { client, namespace } = context();
      const name = fresh('web');
      const annotated = (epoch: string): object =>
        deployment(name, { replicas: 0, metadata: { annotations: { epoch } } });
      const set = `${paths.statefulSets(namespace)}/${name}`;
      for (const [path, kind, generation] of [
        [web(name), 'Deployment', 2],
        [set, 'StatefulSet', 1],
      ] as const) {
        const first = await client.apply(path, { ...annotated('1'), kind });
        const { body } = await client.apply(path, { ...annotated('2'), kind });
        expect(body.metadata.resourceVersion).not.toBe(first.body.metadata.resourceVersion);
        expect(body.metadata.generation).toBe(generation);
      }
    });

    it('wants a field manager', async () => {
      const { client } = context();
      const { status, body } = await client.apply(at('x'), configMap('x', {}), '');
      expect(status).toBe(422);
      expect(body.details.causes[0]).toMatchObject({ reason: 'FieldValueRequired', field: 'fieldManager' });
    });

    it('takes YAML', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { status, body } = await client.apply(
        at(name),
        `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: "1"\n`,
      );
      expect(status).toBe(201);
      expect(body.data).toEqual({ a: '1' });
    });

    it('refuses fields that the schema does not have, and values of a wrong type', async () => {
      const { client } = context();
      const name = fresh('web');
      const unknown = await client.apply(web(name), deployment(name, { container: { bogus: 1 } }));
      expect(unknown.status).toBe(500);
      expect(unknown.body.message).toContain(
        '.spec.template.spec.containers[name="main"].bogus: field not declared in schema',
      );
      const wrong = await client.apply(web(name), deployment(name, { spec: { replicas: '3' } }));
      expect(wrong.status).toBe(500);
      expect(wrong.body.message).toContain('.spec.replicas: expected numeric (int or float), got string');
    });
  });

  describe('preconditions of an apply', () => {
    it('goes through with the uid and resourceVersion that are current', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body } = await client.apply(at(name), configMap(name, { a: '1' }));
      const { uid, resourceVersion } = body.metadata;
      const { status } = await client.apply(at(name), configMap(name, { a: '2' }, { uid, resourceVersion }));
      expect(status).toBe(200);
    });

    it('answers 409 Conflict, without a manager in its causes, to a stale resourceVersion', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: first } = await client.apply(at(name), configMap(name, { a: '1' }));
      await client.apply(at(name), configMap(name, { a: '2' }));
      const { uid, resourceVersion } = first.metadata;
      const { status, body } = await client.apply(at(name), configMap(name, { a: '3' }, { uid, resourceVersion }));
      expect(status).toBe(409);
      expect(body).toMatchObject({ reason: 'Conflict', details: { name, kind: 'configmaps' } });
      expect(body.details.causes).toBeUndefined();
      expect(body.message).toContain('the object has been modified');
      expect((await client.get(at(name))).body.data).toEqual({ a: '2' });
    });

    it('judges a stale resourceVersion even when nothing would change', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body: first } = await client.apply(at(name), configMap(name, { a: '1' }));
      await client.apply(at(name), configMap(name, { a: '2' }));
      const { resourceVersion } = first.metadata;
      const { status } = await client.apply(at(name), configMap(name, { a: '2' }, { resourceVersion }));
      expect(status).toBe(409);
    });

    it('does not create an absent object for a uid: 409', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { status, body } = await client.apply(
        at(name),
        configMap(name, {}, { uid: strangeUid, resourceVersion: '1' }),
      );
      expect(status).toBe(409);
      expect(body.reason).toBe('Conflict');
      expect(body.message).toContain('uid mismatch');
      expect((await client.get(at(name))).status).toBe(404);
    });

    it('creates an absent object for a resourceVersion alone', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { status } = await client.apply(at(name), configMap(name, {}, { resourceVersion: '1' }));
      expect(status).toBe(201);
    });

    it('refuses the uid of an object that was replaced', async () => {
      const { client } = context();
      const name = fresh('cm');
      const { body } = await client.apply(at(name), configMap(name, { a: '1' }));
      const alone = await client.apply(at(name), configMap(name, { a: '2' }, { uid: strangeUid }));
      expect([409, 422]).toContain(alone.status);
      expect(alone.status).toBe(422);
      expect(alone.body.details.causes[0]).toMatchObject({ field: 'metadata.uid', reason: 'FieldValueInvalid' });
      const { resourceVersion } = body.metadata;
      expect(
        (await client.apply(at(name), configMap(name, { a: '2' }, { uid: strangeUid, resourceVersion: '1' }))).status,
      ).toBe(409);
      expect(
        (await client.apply(at(name), configMap(name, { a: '2' }, { uid: strangeUid, resourceVersion }))).status,
      ).toBe(422);
      expect((await client.get(at(name))).body.data).toEqual({ a: '1' });
    });
  });

  describe('dry run', () => {
    it('answers an apply as it would be, and changes nothing', async () => {
      const { client } = context();
      const name = fresh('cm');
      const absent = await client.apply(at(name), configMap(name, { a: '1' }), 'fieldManager=breakwater&dryRun=All');
      expect(absent.status).toBe(201);
      expect(absent.body.metadata.uid).toBeDefined();
      expect((await client.get(at(name))).status).toBe(404);
      const { body: first } = await client.apply(at(name), configMap(name, { a: '1' }));
      const dry = await client.apply(at(name), configMap(name, { a: '2' }), 'fieldManager=breakwater&dryRun=All');
      expect(dry.status).toBe(200);
      expect(dry.body.data).toEqual({ a: '2' });
      expect((await client.get(at(name))).body).toEqual(first);
    });

    it('finds conflicts and invalid objects', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, { a: '1' }));
      const conflict = await client.apply(at(name), configMap(name, { a: '2' }), 'fieldManager=other&dryRun=All');
      expect(conflict.status).toBe(409);
      const web = `${paths.deployments(context().namespace)}/${name}`;
      const invalid = await client.apply(
        web,
        { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: {} },
        'fieldManager=breakwater&dryRun=All',
      );
      expect(invalid.status).toBe(422);
    });

    it('leaves a deleted object where it is', async () => {
      const { client } = context();
      const name = fresh('cm');
      await client.apply(at(name), configMap(name, {}));
      expect((await client.request('DELETE', `${at(name)}?dryRun=All`)).status).toBe(200);
      expect((await client.get(at(name))).status).toBe(200);
    });
  });
}
