import type { ClusterConnection, ClusterConnector, CredentialStore, Cutoff, Refusal } from '@breakwater/application';
import { CredentialUnreadable } from '@breakwater/application';
import { refused, settleRead } from './ended.ts';
import type { KubeconfigAllowances } from './kubeconfig.ts';
import { endpointOf } from './kubeconfig.ts';
import { KubeConnection } from './kube-connection.ts';
import type { Timeouts } from './transport.ts';
import { Transport } from './transport.ts';

export interface ClusterConnectorOptions {
  readonly credentials: CredentialStore;
  /** Default: nothing. */
  readonly allow?: KubeconfigAllowances;
  /** Milliseconds; defaults: {@link DEFAULT_TIMEOUTS}. */
  readonly timeouts?: Partial<Timeouts>;
  /** `breakwater/<version>` */
  readonly userAgent: string;
}

export const DEFAULT_TIMEOUTS: Timeouts = {
  connect: 5_000,
  request: 15_000,
  keepAlive: 85_000,
  throttle: 10_000,
  established: 30_000,
  deletion: 30_000,
  watchSilence: 90_000,
  assess: 60_000,
};

export const createClusterConnector = (options: ClusterConnectorOptions): ClusterConnector =>
  new KubeConnector(options);

interface Pooled {
  readonly version: string;
  readonly connection: KubeConnection;
}

class KubeConnector implements ClusterConnector {
  readonly #options: ClusterConnectorOptions;
  readonly #timeouts: Timeouts;
  readonly #pooled = new Map<string, Pooled>();

  constructor(options: ClusterConnectorOptions) {
    this.#options = options;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
  }

  connect(cluster: string): Promise<ClusterConnection | Refusal | Cutoff> {
    return settleRead(async () => {
      const stored = await this.#read(cluster);
      const pooled = this.#pooled.get(cluster);
      if (stored === null) {
        this.#drop(cluster, pooled);
        throw refused('CredentialsNotFound', `the credential store has none for ${cluster}`);
      }
      if (pooled !== undefined && pooled.version === stored.version) return pooled.connection;
      const endpoint = endpointOf(cluster, stored.kubeconfig, this.#options.allow ?? {});
      this.#drop(cluster, pooled);
      const connection = new KubeConnection(
        cluster,
        new Transport(endpoint, this.#timeouts, this.#options.userAgent),
        this.#timeouts,
      );
      this.#pooled.set(cluster, { version: stored.version, connection });
      return connection;
    });
  }

  async closeAll(): Promise<void> {
    const connections = [...this.#pooled.values()].map(({ connection }) => connection);
    this.#pooled.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  async #read(cluster: string): ReturnType<CredentialStore['read']> {
    try {
      return await this.#options.credentials.read(cluster);
    } catch (error) {
      // Of a store that does not answer nothing follows for the cluster: whoever asks fails, and asks again.
      if (!(error instanceof CredentialUnreadable)) throw error;
      throw refused('CredentialsRefused', `the credential of ${cluster} cannot be read: ${error.message}`);
    }
  }

  /** Sessions that still use it see their next request fail, and come back with the new credential. */
  #drop(cluster: string, pooled: Pooled | undefined): void {
    if (pooled === undefined) return;
    this.#pooled.delete(cluster);
    void pooled.connection.retire().catch(() => undefined);
  }
}
