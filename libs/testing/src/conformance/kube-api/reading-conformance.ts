import { configMap, fresh, paths } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';
import type { Answer } from './kube-api-client.ts';

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Discovery, get, list. */
export function describeReading(context: ContextOf): void {
  describe('discovery', () => {
    it('says its version', async () => {
      const { status, body } = await context().client.get('/version');
      expect(status).toBe(200);
      expect(body.gitVersion).toMatch(/^v1\.\d+\.\d+/);
      expect(Number.parseInt(body.minor, 10)).toBeGreaterThan(30);
    });

    it('lists groups with their preferred versions', async () => {
      const { body } = await context().client.get('/apis');
      expect(body.kind).toBe('APIGroupList');
      const apps = body.groups.find((group: Answer) => group.name === 'apps');
      expect(apps.preferredVersion).toEqual({ groupVersion: 'apps/v1', version: 'v1' });
      expect((await context().client.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    });

    it('lists the resources of a group version, subresources too', async () => {
      const { body } = await context().client.get('/apis/apps/v1');
      expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' });
      const deployments = body.resources.find((entry: Answer) => entry.name === 'deployments');
      expect(deployments).toMatchObject({ kind: 'Deployment', namespaced: true, singularName: 'deployment' });
      expect(deployments.verbs).toEqual(
        expect.arrayContaining(['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']),
      );
      expect(body.resources.map((entry: Answer) => entry.name)).toContain('deployments/status');
    });

    it('answers aggregated discovery for the core group and the others', async () => {
      const core = await context().client.request('GET', '/api', undefined, { accept: aggregated });
      expect(core.body.kind).toBe('APIGroupDiscoveryList');
      const resources = core.body.items[0].versions[0].resources;
      expect(resources.find((entry: Answer) => entry.resource === 'namespaces')).toMatchObject({
        scope: 'Cluster',
        responseKind: { kind: 'Namespace' },
      });
      const groups = await context().client.request('GET', '/apis', undefined, { accept: aggregated });
      const apps = groups.body.items.find((item: Answer) => item.metadata.name === 'apps');
      const deployments = apps.versions[0].resources.find((entry: Answer) => entry.resource === 'deployments');
      expect(deployments.subresources.map((entry: Answer) => entry.subresource)).toContain('status');
    });

    it('answers 404 for groups, versions and resources that it does not serve', async () => {
      expect((await context().client.get('/apis/nothing.example')).status).toBe(404);
      expect((await context().client.get('/apis/nothing.example/v1/things')).status).toBe(404);
      const resource = await context().client.get('/api/v1/things');
      expect(resource.status).toBe(404);
      expect(resource.body).toMatchObject({
        kind: 'Status',
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
      });
    });
  });

  describe('get and list', () => {
    it('gives kube-system a uid: the identity of the cluster', async () => {
      const { status, body } = await context().client.get(paths.namespace('kube-system'));
      expect(status).toBe(200);
      expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    });

    it('answers 404 with a Status that names the object', async () => {
      const { client, namespace } = context();
      const { status, body } = await client.get(`${paths.deployments(namespace)}/absent`);
      expect(status).toBe(404);
      expect(body).toEqual({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: 'deployments.apps "absent" not found',
        reason: 'NotFound',
        details: { name: 'absent', group: 'apps', kind: 'deployments' },
        code: 404,
      });
    });

    it('lists an absent namespace as empty', async () => {
      const { status, body } = await context().client.get(paths.configMaps(fresh('absent')));
      expect(status).toBe(200);
      expect(body).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1', items: [] });
      expect(body.metadata.resourceVersion).toMatch(/^\d+$/);
    });

    it('selects by labels: equality, sets and existence', async () => {
      const { client, namespace } = context();
      const run = fresh('run');
      for (const [name, tier] of [
        ['one', 'a'],
        ['two', 'b'],
        ['three', 'c'],
      ] as const) {
        await client.apply(
          `${paths.configMaps(namespace)}/${run}-${name}`,
          configMap(`${run}-${name}`, {}, { labels: { run, tier } }),
        );
      }
      const names = async (selector: string): Promise<string[]> => {
        const { body } = await client.get(
          `${paths.configMaps(namespace)}?labelSelector=${encodeURIComponent(selector)}`,
        );
        return body.items.map((item: Answer) => item.metadata.name.slice(run.length + 1)).sort();
      };
      expect(await names(`run=${run}`)).toEqual(['one', 'three', 'two']);
      expect(await names(`run=${run},tier!=a`)).toEqual(['three', 'two']);
      expect(await names(`run=${run},tier in (a, c)`)).toEqual(['one', 'three']);
      expect(await names(`run=${run},tier notin (a,c)`)).toEqual(['two']);
      expect(await names(`run=${run},!tier`)).toEqual([]);
      expect(await names(`run=${run},tier`)).toHaveLength(3);
    });

    it('selects by name, and refuses fields that cannot be selected by', async () => {
      const { client } = context();
      const { body } = await client.get('/api/v1/namespaces?fieldSelector=metadata.name%3Dkube-system');
      expect(body.items.map((item: Answer) => item.metadata.name)).toEqual(['kube-system']);
      const refused = await client.get('/api/v1/namespaces?fieldSelector=spec.bogus%3D1');
      expect(refused.status).toBe(400);
      expect(refused.body.reason).toBe('BadRequest');
    });

    it('pages through a list with limit and continue, sorted by name', async () => {
      const { client, namespace } = context();
      const run = fresh('page');
      for (let i = 0; i < 5; i += 1) {
        await client.apply(
          `${paths.configMaps(namespace)}/${run}-${i}`,
          configMap(`${run}-${i}`, {}, { labels: { run } }),
        );
      }
      const seen: string[] = [];
      let token = '';
      let pages = 0;
      do {
        const query = `limit=2&labelSelector=run%3D${run}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
        const { status, body } = await client.get(`${paths.configMaps(namespace)}?${query}`);
        expect(status).toBe(200);
        seen.push(...body.items.map((item: Answer) => item.metadata.name));
        token = body.metadata.continue ?? '';
        pages += 1;
      } while (token !== '');
      expect(pages).toBe(3);
      expect(seen).toEqual([0, 1, 2, 3, 4].map((i) => `${run}-${i}`));
    });

    it('leaves the kind out of the items of built-in kinds', async () => {
      const { body } = await context().client.get('/api/v1/namespaces?limit=1');
      expect(body.kind).toBe('NamespaceList');
      expect(body.items[0].kind).toBeUndefined();
    });
  });

  describe('who asks', () => {
    it('answers 401 to a token that it does not know', async () => {
      const { anonymous } = context();
      const { status, body } = await anonymous.request('GET', '/api/v1/namespaces', undefined, {
        authorization: 'Bearer unknown',
      });
      expect(status).toBe(401);
      expect(body).toMatchObject({ kind: 'Status', reason: 'Unauthorized', code: 401 });
    });

    it('answers 403 to somebody who may not, and names what they may not', async () => {
      const { powerless, namespace } = context();
      if (!powerless) throw new Error('the target gives no powerless token');
      const { status, body } = await powerless.get(paths.configMaps(namespace));
      expect(status).toBe(403);
      expect(body).toMatchObject({ kind: 'Status', reason: 'Forbidden', details: { kind: 'configmaps' } });
      expect(body.message).toContain(
        `cannot list resource "configmaps" in API group "" in the namespace "${namespace}"`,
      );
      const write = await powerless.apply(`${paths.configMaps(namespace)}/x`, configMap('x', {}));
      expect(write.status).toBe(403);
    });

    it('reviews what somebody may do', async () => {
      const { client, powerless, namespace } = context();
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { resourceAttributes: { namespace, verb: 'create', resource: 'pods' } },
      };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
      expect((await client.request('POST', path, review)).body.status.allowed).toBe(true);
      const other = await powerless?.request('POST', path, review);
      if (other?.status === 201) expect(other.body.status.allowed).toBe(false);
    });
  });
}
