import { describeApply } from './apply-conformance.ts';
import { describeCluster } from './cluster-conformance.ts';
import { KubeApiClient } from './kube-api-client.ts';
import type { KubeApiTarget } from './kube-api-client.ts';
import { fresh, paths } from './kube-api-context.ts';
import type { ConformanceContext } from './kube-api-context.ts';
import { describeReading } from './reading-conformance.ts';
import { describeWatching } from './watch-conformance.ts';
import { describeWorkloads } from './workload-conformance.ts';
import { describeWriting } from './writing-conformance.ts';

export interface KubeApiConformanceOptions {
  /** Of the hook that starts the server, in ms. */
  readonly startTimeoutMs?: number;
}

/**
 * What Breakwater relies on in an API server, in sentences. Real servers decide what is right: the simulator passes because
 * they do. The target's administrator is given a namespace that is deleted at the end.
 */
export function describeKubeApiConformance(
  name: string,
  start: () => Promise<KubeApiTarget>,
  options: KubeApiConformanceOptions = {},
): void {
  describe(`Kubernetes API conformance: ${name}`, () => {
    let target: KubeApiTarget;
    let made: ConformanceContext | undefined;
    const context = (): ConformanceContext => {
      if (!made) throw new Error('the API server did not start');
      return made;
    };

    beforeAll(async () => {
      target = await start();
      const client = new KubeApiClient(target);
      const namespace = fresh('conformance');
      const created = await client.request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace },
      });
      if (created.status !== 201) throw new Error(`namespace: ${created.status} ${JSON.stringify(created.body)}`);
      const powerless =
        target.powerlessToken === undefined
          ? undefined
          : new KubeApiClient({ ...target, token: target.powerlessToken });
      made = { client, namespace, powerless, anonymous: new KubeApiClient(target) };
    }, options.startTimeoutMs ?? 30_000);

    afterAll(async () => {
      if (made) {
        await made.client.request('DELETE', paths.namespace(made.namespace));
        await Promise.all([made.client.close(), made.powerless?.close(), made.anonymous.close()]);
      }
      await target?.stop?.();
    }, 30_000);

    describeReading(context);
    describeApply(context);
    describeWriting(context);
    describeWatching(context);
    describeCluster(context);
    describeWorkloads(context);
  });
}
