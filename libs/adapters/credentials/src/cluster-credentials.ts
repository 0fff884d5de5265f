import { type CredentialStore, newestFleet, type RecordPort } from '@breakwater/application';

/** How long a cluster's credential name is believed, in ms: it is asked for at every contact, and Git changes it rarely. */
const REMEMBERED = 2_000;

/**
 * The credential of a cluster, by the name that its document gives it (its own where that is silent), from the first store that has it.
 */
export class ClusterCredentials implements CredentialStore {
  readonly #record: Pick<RecordPort, 'sync'>;
  readonly #stores: readonly CredentialStore[];
  readonly #monotonic: () => number;
  #names: Promise<ReadonlyMap<string, string>> | null = null;
  #readAt = 0;

  constructor(
    record: Pick<RecordPort, 'sync'>,
    stores: readonly CredentialStore[],
    monotonic: () => number = () => performance.now(),
  ) {
    this.#record = record;
    this.#stores = stores;
    this.#monotonic = monotonic;
  }

  async read(cluster: string): Promise<{ readonly kubeconfig: string; readonly version: string } | null> {
    const name = (await this.#credentialNames()).get(cluster) ?? cluster;
    for (const store of this.#stores) {
      const found = await store.read(name);
      if (found !== null) return found;
    }
    return null;
  }

  #credentialNames(): Promise<ReadonlyMap<string, string>> {
    const now = this.#monotonic();
    if (this.#names === null || now - this.#readAt >= REMEMBERED) {
      this.#readAt = now;
      this.#names = this.#load();
      this.#names.catch(() => {
        this.#names = null;
      });
    }
    return this.#names;
  }

  async #load(): Promise<ReadonlyMap<string, string>> {
    const { clusters } = await newestFleet(this.#record);
    return new Map(clusters.map(({ name, credentials }) => [name, credentials]));
  }
}
