import { conditionOf, configMap, fresh, paths } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';
import { applicationObjects } from './application-objects.ts';
import type { Answer } from './kube-api-client.ts';

/** Namespaces and definitions of kinds. */
export function describeCluster(context: ContextOf): void {
  describe('namespaces', () => {
    it('labels a namespace with its name and furnishes it', async () => {
      const { client, namespace } = context();
      const { body } = await client.get(paths.namespace(namespace));
      expect(body.metadata.labels['kubernetes.io/metadata.name']).toBe(namespace);
      expect(body.status.phase).toBe('Active');
      await client.until(`${paths.configMaps(namespace)}/kube-root-ca.crt`, ({ status }) => status === 200);
    });

    it('answers 404 for the namespace when an object is to be put into an absent one', async () => {
      const { client } = context();
      const absent = fresh('absent');
      const { status, body } = await client.apply(`${paths.configMaps(absent)}/x`, configMap('x', {}));
      expect(status).toBe(404);
      expect(body).toMatchObject({
        reason: 'NotFound',
        message: `namespaces "${absent}" not found`,
        details: { kind: 'namespaces' },
      });
      const dry = await client.apply(
        `${paths.configMaps(absent)}/x`,
        configMap('x', {}),
        'fieldManager=breakwater&dryRun=All',
      );
      expect(dry.status).toBe(404);
    });

    it('goes with everything in it, and takes nothing in while it goes', async () => {
      const { client } = context();
      const name = fresh('going');
      await client.request('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      const held = configMap('held', {}, { finalizers: ['conformance.example/hold'] });
      await client.request('POST', paths.configMaps(name), held);
      await client.request('POST', paths.configMaps(name), configMap('plain', {}));
      const { status, body } = await client.request('DELETE', paths.namespace(name));
      expect(status).toBe(200);
      expect(body.status.phase).toBe('Terminating');
      const refused = await client.apply(`${paths.configMaps(name)}/late`, configMap('late', {}));
      expect(refused.status).toBe(403);
      expect(refused.body.details.causes).toEqual([
        expect.objectContaining({ reason: 'NamespaceTerminating', field: 'metadata.namespace' }),
      ]);
      await client.until(`${paths.configMaps(name)}/plain`, (answer) => answer.status === 404, 30_000);
      expect((await client.get(paths.namespace(name))).status).toBe(200);
      await client.patch(`${paths.configMaps(name)}/held`, { metadata: { finalizers: null } });
      await client.until(paths.namespace(name), (answer) => answer.status === 404, 60_000);
    }, 90_000);
  });

  describe('custom resource definitions', () => {
    it('makes a kind served once it is established, keeps its schema, and takes its objects along', async () => {
      const { client, namespace } = context();
      const group = `${fresh('g')}.example`;
      const name = `widgets.${group}`;
      const definition = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
        spec: {
          group,
          scope: 'Namespaced',
          names: { plural: 'widgets', kind: 'Widget' },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              schema: {
                openAPIV3Schema: {
                  type: 'object',
                  properties: {
                    spec: {
                      type: 'object',
                      properties: { size: { type: 'integer' }, parts: { type: 'array', items: { type: 'string' } } },
                    },
                    status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  },
                },
              },
            },
          ],
        },
      };
      const path = `/apis/${group}/v1/namespaces/${namespace}/widgets`;
      expect((await client.get(path)).status).toBe(404);
      const made = await client.apply(`${paths.definitions}/${name}`, definition);
      expect(made.status).toBe(201);
      expect(made.body.spec.names).toEqual({
        plural: 'widgets',
        kind: 'Widget',
        singular: 'widget',
        listKind: 'WidgetList',
      });
      const established = await client.until(
        `${paths.definitions}/${name}`,
        ({ body }) => conditionOf(body, 'Established')?.status === 'True',
      );
      expect(established.body.status.storedVersions).toEqual(['v1']);
      await client.until(path, ({ status }) => status === 200);
      const again = await client.apply(`${paths.definitions}/${name}`, definition);
      expect(again.body.metadata.generation).toBe(1);

      const widget = (spec: object): object => ({
        apiVersion: `${group}/v1`,
        kind: 'Widget',
        metadata: { name: 'one' },
        spec,
      });
      const first = await client.apply(`${path}/one`, widget({ size: 1, parts: ['a'] }));
      expect(first.status).toBe(201);
      expect(first.body.metadata.generation).toBe(1);
      expect(first.body.metadata.managedFields[0].fieldsV1).toEqual({ 'f:spec': { 'f:parts': {}, 'f:size': {} } });
      const second = await client.apply(`${path}/one`, widget({ size: 2 }));
      expect(second.body.spec).toEqual({ size: 2 });
      expect(second.body.metadata.generation).toBe(2);
      const bogus = await client.apply(`${path}/one`, widget({ bogus: 2 }));
      expect(bogus.status).toBe(500);
      const state = await client.patch(`${path}/one/status`, { status: { ready: true } });
      expect(state.body).toMatchObject({ status: { ready: true }, metadata: { generation: 2 } });
      const listed = await client.get(path);
      expect(listed.body).toMatchObject({ kind: 'WidgetList', items: [{ kind: 'Widget' }] });

      expect((await client.request('DELETE', `${paths.definitions}/${name}`)).status).toBe(200);
      await client.until(`${paths.definitions}/${name}`, ({ status }) => status === 404, 30_000);
      await client.until(path, ({ status }) => status === 404, 30_000);
    }, 90_000);
  });

  describe('kinds that take part in admission and access', () => {
    it('fills webhook configurations with their defaults', async () => {
      const { client } = context();
      const name = fresh('hook');
      const object = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name },
        webhooks: [
          {
            name: 'a.conformance.example',
            clientConfig: { url: 'https://127.0.0.1:9' },
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Ignore',
            rules: [
              { apiGroups: ['none.example'], apiVersions: ['v1'], resources: ['nothings'], operations: ['CREATE'] },
            ],
          },
        ],
      };
      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`;
      const { status, body } = await client.apply(path, object);
      expect(status).toBe(201);
      expect(body.webhooks[0]).toMatchObject({
        matchPolicy: 'Equivalent',
        timeoutSeconds: 10,
        namespaceSelector: {},
        objectSelector: {},
      });
      expect((await client.apply(path, object)).body.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
      await client.request('DELETE', path);
    });

    it('stores what a whole application has, and finds nothing to change the second time', async () => {
      const { client, namespace } = context();
      for (const [path, object] of applicationObjects(namespace, fresh('app'))) {
        const first = await client.apply(path, object);
        expect({ path, status: first.status, message: first.body.message }).toEqual({
          path,
          status: 201,
          message: undefined,
        });
        const dry = await client.apply(path, object, 'fieldManager=breakwater&dryRun=All');
        const managed = (body: Answer): Answer =>
          body.metadata.managedFields.find((entry: Answer) => entry.manager === 'breakwater');
        expect(managed(dry.body)).toEqual(managed(first.body));
        expect(dry.body.metadata.generation).toEqual(first.body.metadata.generation);
      }
    });
  });
}
