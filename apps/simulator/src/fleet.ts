import { SimulatedCluster } from './cluster.ts';
import type { ClusterOptions } from './cluster.ts';
import { makeServerCertificate } from './http/certificate.ts';
import { Listener } from './http/listener.ts';
import { handleRequest } from './http/request-handler.ts';

export interface FleetOptions {
  readonly clusters: readonly ClusterOptions[];
  /** Of the shared listener; default a free one. */
  readonly port?: number;
  /** `http` for measurements without TLS; default `https`. */
  readonly protocol?: 'https' | 'http';
}

export interface SimulatedFleet {
  readonly port: number;
  /** PEM of the authority that signed the servers' certificate; undefined for plain HTTP. */
  readonly ca: string | undefined;
  readonly clusters: readonly SimulatedCluster[];
  /** @throws Error for a name that the fleet does not have */
  cluster(name: string): SimulatedCluster;
  /** Starts another cluster. */
  add(options: ClusterOptions): Promise<SimulatedCluster>;
  stop(): Promise<void>;
}

const clusterName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,251}[A-Za-z0-9])?$/;
const historyMs = 5 * 60_000;

/** Starts simulated clusters behind one port; `/clusters/NAME` tells them apart. */
export async function startSimulatedFleet(options: FleetOptions): Promise<SimulatedFleet> {
  const protocol = options.protocol ?? 'https';
  const certificate = protocol === 'https' ? makeServerCertificate() : undefined;
  const clusters = new Map<string, SimulatedCluster>();
  const listeners: Listener[] = [];

  const shared = new Listener((incoming, response) => {
    const url = incoming.url ?? '/';
    const [, prefix, name] = url.split('/', 3);
    const cluster = prefix === 'clusters' && name !== undefined ? clusters.get(name) : undefined;
    if (!cluster || name === undefined) {
      incoming.resume();
      response.writeHead(404, { 'content-type': 'text/plain' }).end('simulated: no such cluster\n');
      return;
    }
    handleRequest(cluster, url.slice('/clusters/'.length + name.length) || '/', incoming, response);
  }, certificate);
  await shared.open(options.port ?? 0);
  listeners.push(shared);

  const add = async (cluster: ClusterOptions): Promise<SimulatedCluster> => {
    if (!clusterName.test(cluster.name)) throw new Error(`not a name for a cluster: ${JSON.stringify(cluster.name)}`);
    if (clusters.has(cluster.name)) throw new Error(`two clusters are named ${cluster.name}`);
    const made = cluster.ownPort
      ? await withOwnPort(cluster)
      : new SimulatedCluster(cluster, {
          server: `${protocol}://127.0.0.1:${shared.port}/clusters/${cluster.name}`,
          ca: certificate?.ca,
        });
    clusters.set(cluster.name, made);
    return made;
  };

  const withOwnPort = async (cluster: ClusterOptions): Promise<SimulatedCluster> => {
    const listener: Listener = new Listener(
      (incoming, response) => handleRequest(made, incoming.url ?? '/', incoming, response),
      certificate,
    );
    await listener.open();
    listeners.push(listener);
    const address = { server: `${protocol}://127.0.0.1:${listener.port}`, ca: certificate?.ca };
    let change = Promise.resolve();
    const made: SimulatedCluster = new SimulatedCluster(cluster, address, (refusing) => {
      change = change.then(() => (refusing ? listener.close() : reopened(listener)));
    });
    return made;
  };

  const sweep = setInterval(() => {
    for (const cluster of clusters.values()) cluster.store.history.age();
  }, historyMs);
  sweep.unref();

  for (const cluster of options.clusters) await add(cluster);
  return {
    port: shared.port,
    ca: certificate?.ca,
    get clusters() {
      return [...clusters.values()];
    },
    cluster: (name) => {
      const found = clusters.get(name);
      if (!found) throw new Error(`no simulated cluster ${name}`);
      return found;
    },
    add,
    stop: async () => {
      clearInterval(sweep);
      for (const cluster of clusters.values()) cluster.stop();
      await Promise.all(listeners.map((listener) => listener.close()));
    },
  };
}

async function reopened(listener: Listener): Promise<void> {
  if (!listener.isOpen) await listener.open();
}
