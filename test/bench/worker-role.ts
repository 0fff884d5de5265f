import { serve } from './child.ts';
import { type Hub, openHub, startWorker } from './hub.ts';
import { memoryNow } from './measure.ts';

export interface WorkerRoleOptions {
  readonly url: string;
  readonly kubeconfigs: Readonly<Record<string, string>>;
  readonly userAgent: string;
}

/** A process with a rollout worker in it: to be killed, or to be weighed. */
export const runWorker = (): void => {
  let hub: Hub | null = null;
  let worker: Awaited<ReturnType<typeof startWorker>> | null = null;
  serve(
    {
      start: async (options: WorkerRoleOptions) => {
        hub = await openHub(options.url);
        worker = await startWorker(hub, options);
      },
      memory: () => memoryNow(),
    },
    async () => {
      await worker?.stop();
      await hub?.close();
    },
  );
};
