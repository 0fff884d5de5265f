import { conditionOf, deployment, fresh, paths } from './kube-api-context.ts';
import type { ContextOf } from './kube-api-context.ts';
import type { Answer } from './kube-api-client.ts';

/** Deployments, StatefulSets, DaemonSets and Jobs that progress, and images that do not run. */
export function describeWorkloads(context: ContextOf): void {
  describe('workloads', () => {
    it('rolls a Deployment out and over to a new template', async () => {
      const { client, namespace } = context();
      const name = fresh('web');
      const path = `${paths.deployments(namespace)}/${name}`;
      await client.apply(path, deployment(name, { replicas: 3 }));
      const done =
        (generation: number) =>
        ({ body }: { body: Answer }): boolean =>
          body.status.observedGeneration === generation &&
          body.status.updatedReplicas === 3 &&
          body.status.availableReplicas === 3 &&
          body.status.replicas === 3;
      const first = await client.until(path, done(1), 30_000);
      expect(conditionOf(first.body, 'Available')).toMatchObject({
        status: 'True',
        reason: 'MinimumReplicasAvailable',
      });
      await client.until(path, ({ body }) => conditionOf(body, 'Progressing')?.reason === 'NewReplicaSetAvailable');
      expect(first.body.metadata.annotations['deployment.kubernetes.io/revision']).toBe('1');
      await client.apply(path, deployment(name, { replicas: 3, image: 'registry.example/web:2' }));
      const second = await client.until(path, done(2), 30_000);
      expect(second.body.metadata.annotations['deployment.kubernetes.io/revision']).toBe('2');
      const { body: sets } = await client.get(`${paths.replicaSets(namespace)}?labelSelector=app%3D${name}`);
      expect(sets.items.map((set: Answer) => set.spec.replicas).sort()).toEqual([0, 3]);
      const pods = await client.until(
        `${paths.pods(namespace)}?labelSelector=app%3D${name}`,
        ({ body }) => body.items.length === 3,
      );
      for (const pod of pods.body.items) {
        expect(pod.spec.containers[0].image).toBe('registry.example/web:2');
        expect(pod.metadata.ownerReferences[0]).toMatchObject({ kind: 'ReplicaSet', controller: true });
      }
      await client.request('DELETE', path, { propagationPolicy: 'Background' });
      await client.until(
        `${paths.pods(namespace)}?labelSelector=app%3D${name}`,
        ({ body }) => body.items.length === 0,
        30_000,
      );
    }, 120_000);

    it('keeps the old pods while the new image cannot be pulled, and says why', async () => {
      const { client, namespace } = context();
      const name = fresh('web');
      const path = `${paths.deployments(namespace)}/${name}`;
      const spec = { progressDeadlineSeconds: 2 };
      await client.apply(path, deployment(name, { replicas: 2, spec }));
      await client.until(path, ({ body }) => body.status.availableReplicas === 2, 30_000);
      await client.apply(path, deployment(name, { replicas: 2, image: 'registry.example/broken:1', spec }));
      const pods = await client.until(
        `${paths.pods(namespace)}?labelSelector=app%3D${name}`,
        ({ body }) =>
          body.items.some(
            (pod: Answer) => pod.status.containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff',
          ),
        30_000,
      );
      const bad = pods.body.items.find((pod: Answer) => pod.status.containerStatuses[0].state.waiting !== undefined);
      expect(bad.status.phase).toBe('Pending');
      const events = await client.until(
        `${paths.events(namespace)}?fieldSelector=${encodeURIComponent(`involvedObject.name=${String(bad.metadata.name)},type=Warning`)}`,
        ({ body }) => body.items.length > 0,
        30_000,
      );
      expect(events.body.items[0]).toMatchObject({
        reason: 'Failed',
        involvedObject: { kind: 'Pod', name: bad.metadata.name },
      });
      const failed = await client.until(
        path,
        ({ body }) => conditionOf(body, 'Progressing')?.reason === 'ProgressDeadlineExceeded',
        30_000,
      );
      expect(failed.body.status).toMatchObject({
        availableReplicas: 2,
        updatedReplicas: 1,
        replicas: 3,
        unavailableReplicas: 1,
      });
      await client.apply(path, deployment(name, { replicas: 2, spec }));
      await client.until(
        path,
        ({ body }) =>
          body.status.updatedReplicas === 2 &&
          body.status.replicas === 2 &&
          conditionOf(body, 'Progressing')?.reason === 'NewReplicaSetAvailable',
        30_000,
      );
    }, 120_000);

    it('brings StatefulSets and DaemonSets up', async () => {
      const { client, namespace } = context();
      const name = fresh('set');
      const set = `${paths.statefulSets(namespace)}/${name}`;
      await client.apply(set, {
        ...deployment(name, { replicas: 2, spec: { serviceName: name } }),
        kind: 'StatefulSet',
      });
      const up = await client.until(
        set,
        ({ body }) => body.status.readyReplicas === 2 && body.status.observedGeneration === 1,
        30_000,
      );
      expect(up.body.status.currentRevision).toBe(up.body.status.updateRevision);
      await client.apply(set, {
        ...deployment(name, { replicas: 2, image: 'registry.example/web:2', spec: { serviceName: name } }),
        kind: 'StatefulSet',
      });
      await client.until(
        set,
        ({ body }) =>
          body.status.observedGeneration === 2 &&
          body.status.updatedReplicas === 2 &&
          body.status.readyReplicas === 2 &&
          body.status.currentRevision === body.status.updateRevision,
        60_000,
      );
      const daemon = `${paths.daemonSets(namespace)}/${name}-d`;
      await client.apply(daemon, { ...deployment(`${name}-d`), kind: 'DaemonSet' });
      const running = await client.until(daemon, ({ body }) => body.status.numberAvailable >= 1, 30_000);
      expect(running.body.status).toMatchObject({ observedGeneration: 1, numberMisscheduled: 0 });
      expect(running.body.status.desiredNumberScheduled).toBe(running.body.status.updatedNumberScheduled);
    }, 120_000);

    it('completes a Job, and fails one', async () => {
      const { client, namespace } = context();
      const job = (name: string, image: string): object => ({
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name },
        spec: {
          backoffLimit: 0,
          template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image }] } },
        },
      });
      const [good, bad] = [fresh('good'), fresh('bad')];
      await client.apply(`${paths.jobs(namespace)}/${good}`, job(good, 'registry.example/migrate:1'));
      const complete = await client.until(
        `${paths.jobs(namespace)}/${good}`,
        ({ body }) => conditionOf(body, 'Complete')?.status === 'True',
        60_000,
      );
      expect(complete.body.status.succeeded).toBe(1);
      await client.apply(`${paths.jobs(namespace)}/${bad}`, job(bad, 'registry.example/fails:1'));
      const failed = await client.until(
        `${paths.jobs(namespace)}/${bad}`,
        ({ body }) => conditionOf(body, 'Failed')?.status === 'True',
        60_000,
      );
      expect(conditionOf(failed.body, 'Failed').reason).toBe('BackoffLimitExceeded');
    }, 120_000);

    it('binds a claim', async () => {
      const { client, namespace } = context();
      const name = fresh('claim');
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec };
      await client.apply(`${paths.claims(namespace)}/${name}`, claim);
      await client.until(`${paths.claims(namespace)}/${name}`, ({ body }) => body.status.phase === 'Bound', 30_000);
    }, 60_000);
  });
}
