import { refused } from './ended.ts';
import type { KubeApi, Place } from './kube-api.ts';
import { inParallel } from './parallel.ts';
import { wait } from './wait.ts';

const POLL_MS = 100;

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

/** Waits until these CustomResourceDefinitions are established, and has the kinds looked up anew. */
export const awaitEstablished = async (api: KubeApi, places: readonly Place[], signal: AbortSignal): Promise<void> => {
  await inParallel(places, 4, (place) => awaitOne(api, place, signal));
  api.discovery.forget();
};

const awaitOne = async (api: KubeApi, place: Place, signal: AbortSignal): Promise<void> => {
  if (place.mapping.kind !== 'CustomResourceDefinition') return;
  const deadline = Date.now() + api.timeouts.established;
  for (;;) {
    const live = await api.get(place, signal);
    const status = live?.['status'] as { readonly conditions?: readonly Condition[] } | undefined;
    const condition = (type: string): Condition | undefined => status?.conditions?.find((it) => it.type === type);
    if (condition('Established')?.status === 'True') return;
    const names = condition('NamesAccepted');
    if (names?.status === 'False') throw refused('Invalid', `its names are taken: ${names.message ?? ''}`, place.key);
    if (Date.now() > deadline) {
      throw refused('Invalid', `not established ${api.timeouts.established} ms after it was applied`, place.key);
    }
    await wait(POLL_MS, signal);
  }
};
