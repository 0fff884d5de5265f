import type { ClusterOptions } from '@breakwater/simulator';
import { type Child, startChild } from './child.ts';

export interface SimulatedServer {
  readonly name: string;
  readonly server: string;
  readonly ca: string | undefined;
  readonly token: string;
  readonly kubeconfig: string;
}

/** What a cluster's own objects went through; epoch milliseconds. */
export interface Exposure {
  readonly cluster: string;
  /** First and last change of an object to the watched revision. */
  readonly first: number | null;
  readonly last: number | null;
  /** When no object was at it any more; null while one is. */
  readonly restored: number | null;
  /** First pod that could not pull its image. */
  readonly signal: number | null;
}

export interface SimulatorOptions {
  readonly clusters: readonly ClusterOptions[];
  /** Default `https`. */
  readonly protocol?: 'https' | 'http';
}

/** Simulated API servers in a process of their own, so that their CPU is not counted as ours. */
export interface Simulators {
  readonly servers: readonly SimulatedServer[];
  add(clusters: readonly ClusterOptions[]): Promise<readonly SimulatedServer[]>;
  /** CPU of the servers' process so far, in ms. */
  cpu(): Promise<number>;
  /** Watches for a revision from now on. */
  watchRevision(revision: string): Promise<void>;
  exposures(): Promise<readonly Exposure[]>;
  /** Application → when the first write of this user agent arrived: of an object of its namespace, or of its fence. */
  firstWrites(userAgent: string): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export const startSimulators = async (options: SimulatorOptions): Promise<Simulators> => {
  const child: Child = startChild('simulator');
  const servers: SimulatedServer[] = [...(await child.ask<SimulatedServer[]>('start', options))];
  return {
    servers,
    add: async (clusters) => {
      const added = await child.ask<SimulatedServer[]>('add', clusters);
      servers.push(...added);
      return added;
    },
    cpu: () => child.ask('cpu'),
    watchRevision: (revision) => child.ask('watchRevision', revision),
    exposures: () => child.ask('exposures'),
    firstWrites: async (userAgent) => new Map(await child.ask<[string, number][]>('firstWrites', userAgent)),
    stop: () => child.stop(),
  };
};
