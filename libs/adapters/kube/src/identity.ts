import { cutOff, refused } from './ended.ts';
import type { KubeApi } from './kube-api.ts';
import { NAMESPACES, placeOf } from './kube-api.ts';

const KUBE_SYSTEM = placeOf(NAMESPACES, '', 'kube-system');
const FRESH_MS = 5_000;

/** A cluster is the uid of its `kube-system` namespace. */
export class Identity {
  readonly #api: KubeApi;
  #seen: { readonly uid: string; readonly at: number } | null = null;

  constructor(api: KubeApi) {
    this.#api = api;
  }

  async read(signal: AbortSignal): Promise<string> {
    const namespace = await this.#api.get(KUBE_SYSTEM, signal);
    const uid = namespace?.metadata.uid;
    if (uid === undefined) throw cutOff('ServerError', 'the cluster has no namespace kube-system');
    this.#seen = { uid, at: performance.now() };
    return uid;
  }

  /** Before a session's first write. Throws `ClusterReplaced`. */
  async check(expected: string, signal: AbortSignal): Promise<void> {
    const seen = this.#seen;
    const uid = seen !== null && performance.now() - seen.at < FRESH_MS ? seen.uid : await this.read(signal);
    if (uid !== expected) {
      throw refused(
        'ClusterReplaced',
        `behind this name is another cluster (kube-system ${uid}, expected ${expected}); nothing was written`,
      );
    }
  }
}
